//! Whether a farm kept its word. It knows nothing of the daemon's code: it reads the event log, the notes of what was
//! promised to users, and what lies on the disk.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::cast::Truth;
use serde_json::Value;

/// States that a job does not leave.
const ENDS: [&str; 5] = ["done", "failed", "cancelled", "expired", "quarantined"];
const OUTCOMES: [&str; 4] = ["done", "failed", "rejected", "duplicate"];

/// What lies on the disk when everything has ended.
#[derive(Debug)]
pub(crate) struct Evidence<'a> {
    /// Each job's records, in the order of the log.
    lives: BTreeMap<u64, Vec<Value>>,
    /// The daemon's copies of their pictures.
    inputs: BTreeMap<PathBuf, u64>,
    /// Numbers of the jobs that a client was told are stored.
    promised: Vec<u64>,
    /// Stems of the files that were put into the jobs folder.
    dropped: Vec<String>,
    farm: PathBuf,
    truth: &'a Truth,
}

impl<'a> Evidence<'a> {
    /// Reads everything below `root`: the farm, and the notes of what was `promised` and `dropped`.
    pub(crate) fn read(root: &Path, truth: &'a Truth) -> Self {
        let mut lives: BTreeMap<u64, Vec<Value>> = BTreeMap::new();
        let mut inputs = BTreeMap::new();
        for event in events(root) {
            assert_eq!(
                event["event"], "put",
                "no job is ever removed here: {event}"
            );
            let job = event["job"].as_u64().expect("a job's number");
            inputs.insert(text(&event["record"]["private"]["input"]).into(), job);
            lives
                .entry(job)
                .or_default()
                .push(event["record"]["job"].clone());
        }
        let lines = |name: &str| {
            let text = fs::read_to_string(root.join(name)).unwrap_or_default();
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        Self {
            lives,
            inputs,
            promised: lines("promised")
                .iter()
                .map(|job| job.parse().unwrap())
                .collect(),
            dropped: lines("dropped"),
            farm: root.join("farm"),
            truth,
        }
    }

    /// Everything that is wrong; empty when the farm kept its word.
    pub(crate) fn faults(&self) -> String {
        let mut faults = String::new();
        let mut fault = |text: String| writeln!(faults, "- {text}").unwrap();
        self.every_job_ends_once(&mut fault);
        self.nothing_is_lost(&mut fault);
        self.one_video_for_each_key(&mut fault);
        self.videos_are_those_of_done_jobs(&mut fault);
        self.innocent_jobs_have_their_video(&mut fault);
        self.nothing_is_left_over(&mut fault);
        faults
    }

    /// The last word on each job.
    fn ended(&self) -> impl Iterator<Item = (u64, &Value)> {
        let last = |life: &'_ Vec<Value>| life.len() - 1;
        self.lives
            .iter()
            .map(move |(job, life)| (*job, &life[last(life)]))
    }

    pub(crate) fn done(&self) -> impl Iterator<Item = (u64, &Value)> {
        self.ended().filter(|(_, job)| job["state"] == "done")
    }

    fn every_job_ends_once(&self, fault: &mut impl FnMut(String)) {
        for (job, life) in &self.lives {
            let states: Vec<_> = life.iter().map(|record| text(&record["state"])).collect();
            let is_end = |state: &&&str| ENDS.contains(*state);
            match states.iter().position(|state| ENDS.contains(state)) {
                None => fault(format!("job {job} has not ended: {states:?}")),
                Some(end) if states[end..].iter().any(|state| *state != states[end]) => {
                    fault(format!("job {job} went on after its end: {states:?}"));
                }
                Some(_) => {}
            }
            if !states
                .iter()
                .take_while(|state| !is_end(state))
                .all(|state| ["queued", "running"].contains(state))
            {
                fault(format!(
                    "job {job} was in a state that nobody knows: {states:?}"
                ));
            }
        }
    }

    fn nothing_is_lost(&self, fault: &mut impl FnMut(String)) {
        for job in &self.promised {
            if !self.lives.contains_key(job) {
                fault(format!(
                    "a client was told of job {job}, and the log does not know it"
                ));
            }
        }
        let filed = self.filed();
        for stem in &self.dropped {
            match filed.get(stem).map_or(0, BTreeSet::len) {
                1 => {}
                0 => fault(format!("{stem}.yaml was dropped and is nowhere: {filed:?}")),
                _ => fault(format!(
                    "{stem}.yaml is filed more than once: {:?}",
                    filed[stem]
                )),
            }
        }
    }

    /// Where the job files are, by the stem under which they were dropped.
    fn filed(&self) -> BTreeMap<String, BTreeSet<PathBuf>> {
        let mut filed: BTreeMap<String, BTreeSet<PathBuf>> = BTreeMap::new();
        let days = OUTCOMES
            .iter()
            .flat_map(|outcome| files(&self.farm.join("jobs").join(outcome)));
        for path in days.flat_map(|day| files(&day)) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.extension().is_some_and(|suffix| suffix == "yaml") {
                let stem = name.split('.').next().unwrap_or_default().to_owned();
                filed.entry(stem).or_default().insert(path);
            }
        }
        filed
    }

    fn one_video_for_each_key(&self, fault: &mut impl FnMut(String)) {
        let mut keys: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for (job, record) in self.done() {
            keys.entry(text(&record["key"])).or_default().push(job);
        }
        for (key, jobs) in keys.iter().filter(|(_, jobs)| jobs.len() > 1) {
            fault(format!(
                "key {key} has a video of each of the jobs {jobs:?}"
            ));
        }
    }

    fn videos_are_those_of_done_jobs(&self, fault: &mut impl FnMut(String)) {
        let mut expected = BTreeSet::new();
        for (job, record) in self.done() {
            let video = PathBuf::from(text(&record["output"]));
            let frames = record["result"]["plan"]["frames"].as_u64();
            match frames_of(&video) {
                found @ Some(_) if found == frames => {}
                found => fault(format!(
                    "job {job} is done, but {} has {found:?} frames of {frames:?}",
                    video.display()
                )),
            }
            if let Some(why) = self.truth.fault(record, &video) {
                fault(format!("job {job} is done, but {why}"));
            }
            if !expected.insert(video) {
                fault(format!("job {job} wrote over another job's video"));
            }
        }
        let found: BTreeSet<_> = files(&self.farm.join("outputs")).into_iter().collect();
        for stray in found.difference(&expected) {
            fault(format!(
                "{} belongs to no job that is done",
                stray.display()
            ));
        }
    }

    fn innocent_jobs_have_their_video(&self, fault: &mut impl FnMut(String)) {
        for (job, record) in self.ended() {
            let is_innocent = !text(&record["spec"]["prompt"]).contains('@');
            let state = text(&record["state"]);
            if is_innocent && state != "done" && state != "cancelled" {
                fault(format!(
                    "job {job} did nothing wrong and is {state}: {}",
                    record["failure"]
                ));
            }
        }
    }

    fn nothing_is_left_over(&self, fault: &mut impl FnMut(String)) {
        let jobs = self.farm.join("jobs");
        let claimed = files(&jobs.join("claimed"));
        let in_folder = files(&jobs)
            .into_iter()
            .filter(|path| path.extension().is_some_and(|s| s == "yaml"));
        for left in claimed
            .iter()
            .flat_map(|daemon| files(daemon))
            .chain(in_folder)
        {
            fault(format!("{} still waits", left.display()));
        }
        // A failed job keeps what another try would need.
        let may_stay = |job: u64| {
            self.lives.get(&job).is_some_and(|life| {
                life.last()
                    .is_some_and(|record| record["state"] == "failed")
            })
        };
        for left in files(&self.farm.join("state/inputs")) {
            if !self.inputs.get(&left).copied().is_some_and(may_stay) {
                fault(format!("{} is of no use any more", left.display()));
            }
        }
        for work in files(&self.farm.join("state/work")) {
            let job = work
                .file_name()
                .unwrap()
                .to_string_lossy()
                .parse()
                .unwrap_or(0);
            if !may_stay(job) {
                for left in files(&work.join("checkpoints")) {
                    fault(format!("{} is of no use any more", left.display()));
                }
            }
        }
    }
}

/// The event log, in order.
pub(crate) fn events(root: &Path) -> Vec<Value> {
    let mut events = Vec::new();
    for part in files(&root.join("farm/state/journal")) {
        let text = fs::read_to_string(part).unwrap();
        // The last line may be torn where a daemon was killed; whatever is whole counts.
        events.extend(
            text.lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok()),
        );
    }
    events
}

/// Frames that the `ffprobe` program decodes.
fn frames_of(video: &Path) -> Option<u64> {
    let decoded = Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-select_streams", "v:0"])
        .args(["-show_entries", "stream=nb_read_frames", "-of", "csv=p=0"])
        .arg(video)
        .output()
        .expect("ffprobe, which `make test` installs");
    str::from_utf8(&decoded.stdout).ok()?.trim().parse().ok()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Paths in a folder, by name; none if there is no such folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
