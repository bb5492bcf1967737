//! `STATUS.txt`: how the daemon is, for those who have only the share.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fmt::Write,
    fs::{self, File, TryLockError},
    path::Path,
    time::{Duration, Instant},
};

use framepack_ipc::control::Note;
use framepack_jobs::{Job, JobState, Progress, Timestamp};
use tracing::warn;

use super::{held::Held, scan::Unsettled};
use crate::queue::Summary;

const NAME: &str = "STATUS.txt";
/// It is rewritten after this long even when nothing has changed, so that its age shows whether the daemon runs.
const INTERVAL: Duration = Duration::from_mins(1);
/// Lines of each list; the rest is counted.
const MAX_LINES: usize = 20;

/// What the file says.
#[derive(Debug)]
pub(super) struct Status<'a> {
    pub(super) daemon_id: &'a str,
    pub(super) folder: String,
    pub(super) summary: &'a Summary,
    pub(super) unsettled: &'a Unsettled,
    /// Files that can't be taken, and why.
    pub(super) troubles: &'a BTreeMap<OsString, String>,
    pub(super) held: &'a [Held],
    /// Files that would be taken if there were room.
    pub(super) left: usize,
    /// Why no files are taken.
    pub(super) blocker: Option<&'a str>,
    pub(super) notes: &'a [Note],
}

/// The file, and when it was last written.
///
/// Of several daemons on one folder, the one that holds the lock writes `STATUS.txt`, the others `STATUS.<id>.txt`.
#[derive(Debug, Default)]
pub(super) struct StatusFile {
    last: Option<(String, Instant)>,
    lock: Option<File>,
}

impl StatusFile {
    /// Writes the file if it would say something new, or has become old.
    pub(super) fn update(&mut self, folder: &Path, status: &Status<'_>) {
        let text = status.text();
        let is_current =
            |(last, written): &(String, Instant)| *last == text && written.elapsed() < INTERVAL;
        if self.last.as_ref().is_some_and(is_current) {
            return;
        }
        let now = Timestamp::now().to_string();
        let dated = format!(
            "{text}\nWritten at {}Z; updated at least once a minute.\n",
            &now[..19]
        );
        let own = format!("STATUS.{}.txt", status.daemon_id);
        let temporary = folder.join(format!(".{own}"));
        let name = if self.is_first(folder) { NAME } else { &own };
        let written =
            fs::write(&temporary, dated).and_then(|()| fs::rename(&temporary, folder.join(name)));
        if let Err(error) = written {
            warn!(%error, "writing {name}");
        }
        self.last = Some((text, Instant::now()));
    }

    /// Whether no other daemon on this folder was first. Where nothing can be locked, nobody was.
    fn is_first(&mut self, folder: &Path) -> bool {
        if self.lock.is_none() {
            let Ok(lock) = File::create(folder.join(".framepackd.lock")) else {
                return true;
            };
            if matches!(lock.try_lock(), Err(TryLockError::WouldBlock)) {
                return false;
            }
            self.lock = Some(lock);
        }
        true
    }
}

impl Status<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text)
            .expect("writing to a string cannot fail");
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let Summary {
            queued, running, ..
        } = self.summary;
        writeln!(
            text,
            "framepackd {} ({})\n\nState: {}\nJobs: {queued} queued, {} running\nFolder: {}",
            env!("CARGO_PKG_VERSION"),
            self.daemon_id,
            self.state(),
            running.len(),
            self.folder,
        )?;
        list(text, "Needs attention", self.notes.iter().map(note))?;
        list(text, "Running", running.iter().map(run))?;
        let unsettled = self.unsettled.files.iter().chain(self.troubles);
        let unsettled = unsettled.map(|(name, why)| format!("{}: {why}", shown(name)));
        list(text, "Not taken yet", unsettled)?;
        let held = self.held.iter();
        let held = held.map(|held| format!("{}: {}", shown(&held.claim.name), held.why));
        list(text, "Taken, but not a job yet", held)?;
        let nested = self.unsettled.folders.iter();
        let nested = nested.filter(|(_, nested)| nested.job_files > 0);
        let nested = nested.map(|(name, nested)| {
            let files = nested.job_files;
            format!(
                "{}/: {files} job files; only the jobs folder itself is read",
                shown(name)
            )
        });
        list(text, "Not read", nested)
    }

    fn state(&self) -> String {
        if self.left > 0 && self.summary.room() == 0 {
            return format!(
                "the queue is full ({} jobs): {} files stay in the folder until there is room",
                self.summary.max_jobs, self.left
            );
        }
        if let Some(reason) = self.blocker {
            return format!(
                "no files are taken for now, and {} stay in the folder: {reason}",
                self.left
            );
        }
        if let Some(reason) = &self.summary.paused {
            return format!("no job starts: {reason}");
        }
        let state = match self.summary {
            summary if !summary.running.is_empty() => "rendering",
            summary if summary.queued > 0 => "jobs are waiting for a worker",
            _ => "waiting for jobs",
        };
        state.to_owned()
    }
}

fn list(text: &mut String, title: &str, lines: impl Iterator<Item = String>) -> std::fmt::Result {
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(text, "\n{title}:")?;
    for line in lines.iter().take(MAX_LINES) {
        writeln!(text, "  {line}")?;
    }
    match lines.len().saturating_sub(MAX_LINES) {
        0 => Ok(()),
        more => writeln!(text, "  … and {more} more"),
    }
}

/// A name of any bytes on one line.
fn shown(name: &OsStr) -> String {
    name.to_string_lossy().escape_debug().to_string()
}

fn note(note: &Note) -> String {
    let hint = note.hint.as_ref().map(|hint| format!(" ({hint})"));
    format!(
        "{}: {}{}",
        note.code,
        note.message,
        hint.unwrap_or_default()
    )
}

fn run(job: &Job) -> String {
    let (id, name) = (job.id, &job.name);
    let JobState::Running {
        device, progress, ..
    } = &job.state
    else {
        return format!("job {id} \"{name}\"");
    };
    let sections = match progress {
        Some(Progress {
            section, sections, ..
        }) => format!(", {section} of {sections} sections done"),
        None => String::new(),
    };
    format!("job {id} \"{name}\" on {device}{sections}")
}
