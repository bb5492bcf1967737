//! What jobs took of disks, energy and time: folders are measured where they lie, the rest is added up from the records.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use framepack_ipc::{
    upkeep::{FolderUsage, Measured, Usage, WorkUsage},
    worker::CHECKPOINT_PREFIX,
};
use framepack_jobs::{Job, JobId, JobState, Timestamp};

use crate::{
    disk::{Disk, PartOf, Silent, Sum, Tally},
    file::free_bytes,
    queue::{QueueHandle, Stopping},
};

/// Longest look at a folder: clients wait for 30 s.
const LIMIT: Duration = Duration::from_secs(20);
/// Records that are fetched at a time.
const PAGE: usize = 200;

/// Where to look, and what the parts are called.
#[derive(Debug)]
pub(crate) struct Folders {
    pub(crate) outputs: PathBuf,
    pub(crate) jobs: PathBuf,
    pub(crate) state: PathBuf,
}

/// Parts of the state directory, in this order; what is in none of them is `state`.
const PARTS: [&str; 7] = [
    "state",
    "store",
    "work",
    CHECKPOINTS,
    "inputs",
    "logs",
    "embeddings",
];
const CHECKPOINTS: &str = "checkpoints";

/// The part of the state directory that a file belongs to.
fn part_of_state(below: &Path) -> &'static str {
    let mut names = below.iter().map(|name| name.to_string_lossy());
    let folder = names.next().unwrap_or_default();
    let name = names.nth(1);
    match folder.as_ref() {
        "work" if name.is_some_and(|name| name.starts_with(CHECKPOINT_PREFIX)) => CHECKPOINTS,
        "journal" => "store",
        folder => PARTS
            .into_iter()
            .find(|part| *part == folder)
            .unwrap_or("state"),
    }
}

fn all(_: &Path) -> &'static str {
    "all"
}

/// Measures the folders and adds up the jobs that have ended since then.
pub(crate) async fn usage(
    disk: &Disk,
    queue: &QueueHandle,
    folders: Folders,
    since: Option<Timestamp>,
) -> Result<Usage, Stopping> {
    // At once: one of them may hang.
    let (outputs, jobs, state, work) = tokio::join!(
        measured(disk, "outputs", &folders.outputs),
        measured(disk, "jobs", &folders.jobs),
        state_parts(disk, &folders.state),
        work(queue, since),
    );
    let mut measured = vec![outputs, jobs];
    measured.extend(state);
    Ok(Usage {
        folders: measured,
        work: work?,
        since,
    })
}

async fn measured(disk: &Disk, name: &str, path: &Path) -> FolderUsage {
    let (tally, free_bytes) = look(disk, path, all).await;
    let sum = tally.as_ref().map(Tally::sum);
    folder(
        (name, path.to_owned()),
        sum.unwrap_or_default(),
        how_much(&tally),
        free_bytes,
    )
}

async fn state_parts(disk: &Disk, state: &Path) -> Vec<FolderUsage> {
    let (tally, free_bytes) = look(disk, state, part_of_state).await;
    let how_much = how_much(&tally);
    let parts = tally.map(|tally| tally.parts).unwrap_or_default();
    let part = |name: &'static str| {
        let path = match name {
            "state" => state.to_owned(),
            CHECKPOINTS => state.join("work"),
            name => state.join(name),
        };
        let sum = parts.get(name).copied().unwrap_or_default();
        folder((name, path), sum, how_much, free_bytes)
    };
    PARTS.map(part).to_vec()
}

async fn look(disk: &Disk, path: &Path, part_of: PartOf) -> (Result<Tally, Silent>, Option<u64>) {
    let tally = disk.measure(path, part_of, LIMIT).await;
    if tally.is_err() {
        return (tally, None);
    }
    let folder = path.to_owned();
    let free = disk.at(path, move || free_bytes(&folder)).await;
    (tally, free.ok().and_then(Result::ok))
}

fn how_much(tally: &Result<Tally, Silent>) -> Measured {
    match tally {
        Ok(tally) if tally.is_whole => Measured::All,
        Ok(_) => Measured::Part,
        Err(_) => Measured::Silent,
    }
}

fn folder(
    (name, path): (&str, PathBuf),
    Sum { files, bytes }: Sum,
    measured: Measured,
    free_bytes: Option<u64>,
) -> FolderUsage {
    FolderUsage {
        name: name.to_owned(),
        path,
        bytes,
        files,
        measured,
        free_bytes,
    }
}

/// What jobs took, by day and group.
async fn work(queue: &QueueHandle, since: Option<Timestamp>) -> Result<Vec<WorkUsage>, Stopping> {
    let mut days = BTreeMap::new();
    let mut after = JobId(0);
    loop {
        let page = queue.records_after(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.job.id;
        for record in &page {
            add(&mut days, &record.job, since);
        }
    }
    Ok(days.into_values().collect())
}

/// By day and group.
type Days = BTreeMap<(String, Option<String>), WorkUsage>;

/// Adds a job if it has ended since then.
fn add(days: &mut Days, job: &Job, since: Option<Timestamp>) {
    let Some(finished_at) = job.state.finished_at() else {
        return;
    };
    if since.is_some_and(|since| finished_at < since) {
        return;
    }
    let (day, group) = (finished_at.date().to_string(), job.schedule.group.clone());
    let usage = days
        .entry((day.clone(), group.clone()))
        .or_insert_with(|| WorkUsage {
            day,
            group,
            done: 0,
            others: 0,
            render_secs: 0.0,
            video_secs: 0.0,
            energy_joules: None,
        });
    match &job.state {
        JobState::Done {
            started_at, result, ..
        } => {
            usage.done += 1;
            usage.render_secs += finished_at.secs_since(*started_at);
            usage.video_secs += result.plan.secs;
        }
        _ => usage.others += 1,
    }
    if let Some(joules) = job.runs.energy_joules {
        *usage.energy_joules.get_or_insert_default() += joules;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_of_the_state_directory_has_its_part() {
        for (path, part) in [
            ("work/7/checkpoint-000.safetensors", CHECKPOINTS),
            ("work/7/contact_sheet.png", "work"),
            ("work/7", "work"),
            ("journal/000001.ndjson", "store"),
            ("store/conf", "store"),
            ("embeddings/00.safetensors", "embeddings"),
            ("logs/7.ndjson", "logs"),
            ("inputs/a.png", "inputs"),
            ("notes.json", "state"),
            ("damaged/x/checkpoint-1", "state"),
        ] {
            assert_eq!(part_of_state(Path::new(path)), part, "{path}");
        }
    }
}
