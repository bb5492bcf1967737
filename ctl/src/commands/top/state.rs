//! What the screen shows.

use std::collections::VecDeque;

use framepack_ipc::{
    farm::RunningJob,
    queue::{QueueEntry, Standing},
};
use framepack_jobs::{JobId, Timestamp};

use super::{
    event::{Remark, View},
    preview::Shown,
};
use crate::terminal::{self, Colour, Terminal, picture::Palette};

/// Lines of a log that are kept.
const LOG_LINES: usize = 1000;

/// All of it.
#[derive(Debug)]
pub(super) struct Top {
    /// What the daemon told last.
    pub(super) view: View,
    /// Why it does not answer, and since when, while that is so.
    pub(super) lost: Option<(String, Timestamp)>,
    /// The selected job, and its place among the others.
    pub(super) selected: Option<JobId>,
    place: usize,
    pub(super) mode: Mode,
    /// What became of the last change, until the next key.
    pub(super) remark: Option<Remark>,
    /// A running job's picture.
    pub(super) preview: Option<Shown>,
    /// The colours that pictures have.
    pub(super) palette: Palette,
    /// The terminal's colours and symbols; its width is the screen's.
    pub(super) terminal: Terminal,
}

/// What is shown in front.
#[derive(Debug)]
pub(super) enum Mode {
    /// The jobs.
    List,
    Help,
    /// What failed lately.
    Failures,
    Log(Log),
    /// Whether this job is to be cancelled.
    Cancel(JobId),
}

/// A job's log.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) job: JobId,
    pub(super) lines: VecDeque<String>,
    /// Lines below those that are shown; 0: the end is, and stays.
    pub(super) below: usize,
}

impl Top {
    pub(super) fn new(view: View, terminal: Terminal) -> Self {
        let mut top = Self {
            view,
            lost: None,
            selected: None,
            place: 0,
            mode: Mode::List,
            remark: None,
            preview: None,
            palette: terminal::palette(),
            terminal,
        };
        top.keep_selection();
        top
    }

    /// The jobs that run.
    pub(super) fn running(&self) -> &[RunningJob] {
        &self.view.farm.running
    }

    /// The jobs that do not.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &QueueEntry> + Clone {
        let runs = |entry: &QueueEntry| self.running().iter().any(|job| job.id == entry.id);
        let entries = self.view.queue.jobs.iter();
        entries.filter(move |entry| {
            !matches!(entry.standing, Standing::Running | Standing::Paused) && !runs(entry)
        })
    }

    /// All of them, as they are listed.
    pub(super) fn jobs(&self) -> Vec<JobId> {
        let running = self.running().iter().map(|job| job.id);
        running
            .chain(self.waiting().map(|entry| entry.id))
            .collect()
    }

    /// The running job whose picture is shown: the selected one, or the first; none without colours.
    pub(super) fn pictured(&self) -> Option<JobId> {
        if self.terminal.colour == Colour::Off {
            return None;
        }
        let ids = || self.running().iter().map(|job| job.id);
        ids()
            .find(|id| Some(*id) == self.selected)
            .or_else(|| ids().next())
    }

    /// What the queue says of the selected job.
    pub(super) fn selected_entry(&self) -> Option<&QueueEntry> {
        let mut entries = self.view.queue.jobs.iter();
        entries.find(|entry| Some(entry.id) == self.selected)
    }

    /// A job's name, as far as it is known.
    pub(super) fn name(&self, job: JobId) -> &str {
        let mut entries = self.view.queue.jobs.iter();
        entries
            .find(|entry| entry.id == job)
            .map_or("", |entry| &entry.name)
    }

    /// Selects the job at this place.
    pub(super) fn select(&mut self, place: usize) {
        let jobs = self.jobs();
        self.place = place.min(jobs.len().saturating_sub(1));
        self.selected = jobs.get(self.place).copied();
    }

    /// The selected job's place among the others.
    pub(super) fn place(&self) -> usize {
        self.place
    }

    /// The selection stays with its job, and at its place once that is gone.
    pub(super) fn keep_selection(&mut self) {
        let jobs = self.jobs();
        let same = jobs.iter().position(|job| Some(*job) == self.selected);
        self.select(same.unwrap_or(self.place));
    }
}

impl Log {
    pub(super) fn new(job: JobId) -> Self {
        Self {
            job,
            lines: VecDeque::new(),
            below: 0,
        }
    }

    /// More lines; those that are shown stay where they are unless the end is shown.
    pub(super) fn extend(&mut self, lines: Vec<String>) {
        if self.below > 0 {
            self.below += lines.len();
        }
        self.lines.extend(lines);
        let excess = self.lines.len().saturating_sub(LOG_LINES);
        self.lines.drain(..excess);
        self.below = self.below.min(self.lines.len().saturating_sub(1));
    }
}
