//! What `STATUS.txt` says.

use std::{ffi::OsStr, fmt::Write};

use framepack_ipc::control::{Note, Outage};
use framepack_jobs::{Job, JobState, Progress, on_one_line};

use super::view::Sources;
use crate::queue::Summary;

/// Lines of each list; the rest is counted.
const MAX_LINES: usize = 20;

/// What the file says.
#[derive(Debug)]
pub(super) struct Status<'a> {
    pub(super) daemon_id: &'a str,
    pub(super) sources: Sources<'a>,
    pub(super) summary: &'a Summary,
    /// Files that would be taken if there were room.
    pub(super) left: usize,
    pub(super) notes: &'a [Note],
}

impl Status<'_> {
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text)
            .expect("writing to a string cannot fail");
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let Summary {
            queued,
            running,
            suspended,
            ..
        } = self.summary;
        writeln!(
            text,
            "framepackd {} ({})\n\nState: {}\nJobs: {queued} queued, {} running\nFolder: {}",
            env!("CARGO_PKG_VERSION"),
            self.daemon_id,
            self.state(),
            running.len(),
            self.sources.notice.describe(),
        )?;
        let outages = self.summary.outages.iter().map(outage);
        list(
            text,
            "Needs attention",
            self.notes.iter().map(note).chain(outages),
        )?;
        list(text, "Running", running.iter().map(run))?;
        list(text, "Suspended", suspended.iter().map(suspension))?;
        let Sources {
            notice, pending, ..
        } = self.sources;
        let reason = |(name, why)| format!("{}: {why}", shown(name));
        list(text, "Not taken yet", notice.untaken().map(reason))?;
        let waiting = pending.waiting().map(reason);
        list(text, "Taken, but not a job yet", waiting)?;
        let nested = notice.nested().map(|(name, files)| {
            format!(
                "{}/: {files} job files; only the jobs folder itself is read",
                shown(name)
            )
        });
        list(text, "Not read", nested)?;
        let conflicts = notice
            .conflicts()
            .map(|(name, program)| format!("{}: {}", shown(name), conflict(program)));
        list(text, "Passed over", conflicts)
    }

    fn state(&self) -> String {
        if self.left > 0 && self.summary.room() == 0 {
            return format!(
                "the queue is full ({} jobs): {} files stay in the folder until there is room",
                self.summary.max_jobs, self.left
            );
        }
        if let Some(reason) = self.sources.pending.blocker() {
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

/// Why a copy is passed over.
pub(super) fn conflict(program: &str) -> String {
    format!(
        "a copy that {program} made when the file was changed in two places; delete it, or rename it to have it rendered"
    )
}

/// A name of any bytes on one line.
fn shown(name: &OsStr) -> String {
    on_one_line(&name.to_string_lossy())
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

fn suspension(job: &Job) -> String {
    let (id, name) = (job.id, &job.name);
    let held = if job.runs.held {
        "; held by a user"
    } else {
        ""
    };
    match job.runs.suspended_until {
        Some(opens) => {
            format!("job {id} \"{name}\": its window has ended; goes on at {opens}{held}")
        }
        None => format!("job {id} \"{name}\"{held}"),
    }
}

/// What jobs wait for, since when, what to do, and when it is tried again.
fn outage(outage: &Outage) -> String {
    let hint = outage.hint.as_ref().map(|hint| format!(" ({hint})"));
    format!(
        "{}: {}{}; {}",
        outage.code,
        outage.message,
        hint.unwrap_or_default(),
        outage.times()
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
