//! The night's report: what ended since a time and how, what runs, and what waits.
//!
//! - [`text`]: for a terminal, a mail, a log
//! - [`html`]: one page that needs nothing beside it, for a browser
//! - [`strip`]: a video's frames in one picture, which that page plays

mod html;
mod strip;
mod text;

use framepack_ipc::queue::{QueueEntry, QueueView, Standing};
use framepack_jobs::{Job, JobState, RenderOutput, Timestamp};
use serde::Serialize;

pub(crate) use self::{
    html::{Page, Prompts, page},
    strip::{Strip, strips},
    text::lines,
};

/// What happened on a farm since a time.
#[derive(Debug)]
pub(crate) struct Night {
    pub(crate) since: Timestamp,
    pub(crate) until: Timestamp,
    /// Each group in the order in which its jobs ended.
    pub(crate) done: Vec<Job>,
    /// Failed, or past their deadlines.
    pub(crate) failed: Vec<Job>,
    pub(crate) cancelled: Vec<Job>,
    pub(crate) queue: QueueView,
}

/// A night in figures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Totals {
    pub(crate) since: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) done: usize,
    pub(crate) failed: usize,
    pub(crate) cancelled: usize,
    pub(crate) running: usize,
    pub(crate) waiting: usize,
    /// Seconds of finished video.
    pub(crate) video_secs: f64,
    /// Seconds that devices worked on finished videos.
    pub(crate) rendering_secs: f64,
    /// `None` where no device tells.
    pub(crate) energy_joules: Option<f64>,
}

/// A finished job with what it made.
#[derive(Debug, Clone, Copy)]
struct Finished<'j> {
    job: &'j Job,
    output: &'j RenderOutput,
    rendering_secs: f64,
}

/// Of none 0, where a sum of floating-point numbers begins with -0.
fn total(secs: impl Iterator<Item = f64>) -> f64 {
    secs.fold(0.0, |sum, secs| sum + secs)
}

impl Night {
    /// Sorts jobs that have ended; those that ended earlier or have not ended are left out.
    pub(crate) fn new(
        since: Timestamp,
        until: Timestamp,
        mut jobs: Vec<Job>,
        queue: QueueView,
    ) -> Self {
        jobs.retain(|job| job.state.finished_at().is_some_and(|at| at >= since));
        jobs.sort_by_key(|job| job.state.finished_at());
        let mut night = Self {
            since,
            until,
            done: Vec::new(),
            failed: Vec::new(),
            cancelled: Vec::new(),
            queue,
        };
        for job in jobs {
            match job.state {
                JobState::Done { .. } => night.done.push(job),
                JobState::Failed { .. } | JobState::Expired { .. } => night.failed.push(job),
                JobState::Cancelled { .. } => night.cancelled.push(job),
                JobState::Queued | JobState::Running { .. } => {}
            }
        }
        night
    }

    fn is_empty(&self) -> bool {
        self.ended().is_empty() && self.queue.jobs.is_empty()
    }

    /// All jobs that ended, in the order in which they did.
    pub(crate) fn ended(&self) -> Vec<&Job> {
        let mut jobs: Vec<&Job> = [&self.done, &self.failed, &self.cancelled]
            .into_iter()
            .flatten()
            .collect();
        jobs.sort_by_key(|job| job.state.finished_at());
        jobs
    }

    pub(crate) fn totals(&self) -> Totals {
        let has_begun =
            |entry: &&QueueEntry| matches!(entry.standing, Standing::Running | Standing::Paused);
        let running = self.queue.jobs.iter().filter(has_begun).count();
        let energy = self.ended().into_iter().map(|job| job.runs.energy_joules);
        let energy: Vec<f64> = energy.flatten().collect();
        Totals {
            since: self.since,
            until: self.until,
            done: self.done.len(),
            failed: self.failed.len(),
            cancelled: self.cancelled.len(),
            running,
            waiting: self.queue.jobs.len() - running,
            video_secs: total(self.finished().map(|job| job.output.plan.secs)),
            rendering_secs: total(self.finished().map(|job| job.rendering_secs)),
            energy_joules: (!energy.is_empty()).then(|| energy.iter().sum()),
        }
    }

    fn finished(&self) -> impl Iterator<Item = Finished<'_>> {
        self.done.iter().filter_map(|job| match &job.state {
            JobState::Done {
                started_at,
                finished_at,
                result,
            } => Some(Finished {
                job,
                output: result,
                rendering_secs: finished_at.secs_since(*started_at),
            }),
            _ => None,
        })
    }
}
