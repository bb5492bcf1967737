//! The record of a job: what the store keeps, the socket sends and the report shows.

use std::{borrow::Cow, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::{
    Failure, JobId, JobState, Phase, Progress, Schedule, Settings, Timestamp, ValidSpec,
    settings::{Origins, Setting},
    state::{IllegalTransition, StateName},
};

/// A job, from its acceptance on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// Its name, for people and for `{name}`. Several jobs may share one.
    pub name: String,
    /// What makes two submissions the same job.
    pub key: String,
    /// State and what belongs to it; in JSON, `state` and its fields stand beside `id`.
    #[serde(flatten)]
    pub state: JobState,
    /// When the job was accepted.
    pub submitted_at: Timestamp,
    /// How it came.
    pub source: Source,
    /// What to render, as validated.
    pub spec: ValidSpec,
    /// What the farm's configuration said when the job was accepted, where the job itself does not.
    #[serde(default, skip_serializing_if = "Settings::is_empty")]
    pub farm_defaults: Settings,
    /// Where the values of `spec` and `farm_defaults` come from that somebody set; empty in records of versions that did
    /// not tell.
    #[serde(default, skip_serializing_if = "Origins::is_empty")]
    pub origins: Origins,
    /// When it may run, and what is done when it fails.
    #[serde(default)]
    pub schedule: Schedule,
    /// The seed that the job runs with.
    pub seed: u64,
    /// The start image, absolute.
    pub image: PathBuf,
    /// Where the video will be: fixed before the first run, so a rerun replaces its own file.
    pub output: PathBuf,
    /// What its runs have come to so far; in JSON, its fields stand beside `id`.
    #[serde(flatten)]
    pub runs: Runs,
    /// What is accepted but will not do what the user may expect.
    pub warnings: Vec<String>,
}

/// What a job's runs have come to so far, and what keeps the next one from beginning. A new job has the default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Runs {
    /// How often a worker has begun it; counted before the worker is told.
    pub attempts: u32,
    /// When a user changed it last, after it had been accepted: the file that it came with is not what it is any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
    /// A user holds it: it does not begin until it is released.
    #[serde(default)]
    pub held: bool,
    /// A user cancelled it and wants a video of the sections that it has: the next run makes that and nothing else. A job
    /// that had all of them is done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_sections: bool,
    /// When its window opens again, which ended while it ran: it goes on then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended_until: Option<Timestamp>,
    /// Sections whose latents are durable: the next run continues after them.
    #[serde(default)]
    pub sections_done: u32,
    /// Starts since the last new section that ended with the daemon's own death; counted before the worker is told.
    #[serde(default)]
    pub starts_without_progress: u32,
    /// Rung of the ladder against want of memory at which the next run starts; 0 = as planned.
    #[serde(default)]
    pub rung: u32,
    /// Failures that were followed by another attempt.
    #[serde(default)]
    pub retries: u32,
    /// When the next attempt may begin, after one has failed.
    #[serde(default)]
    pub retry_at: Option<Timestamp>,
    /// Why the last attempt failed that was followed by another.
    #[serde(default)]
    pub last_failure: Option<Failure>,
    /// What its device took of energy while the job ran, in joules; `None` where the device does not tell.
    #[serde(default)]
    pub energy_joules: Option<f64>,
    /// The settings of the last run that somebody set or that its bundle names, each with where it comes from; the others
    /// have their defaults. As `show` sends a job that has not run yet, those that its run would have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<Setting>,
}

/// How a job came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "via", rename_all = "snake_case")]
pub enum Source {
    /// A file dropped into the jobs folder.
    Folder {
        /// Its path below the jobs folder, as it was dropped.
        file: PathBuf,
    },
    /// `framepackctl submit`.
    Submit {
        /// The folder that relative paths refer to.
        folder: PathBuf,
    },
}

impl Job {
    /// Top-level keys that a job's JSON can have, in any state.
    pub const FIELDS: [&str; 35] = [
        "id",
        "name",
        "key",
        "state",
        "submitted_at",
        "source",
        "spec",
        "farm_defaults",
        "origins",
        "seed",
        "image",
        "output",
        "attempts",
        "changed_at",
        "warnings",
        "schedule",
        "held",
        "keep_sections",
        "suspended_until",
        "sections_done",
        "starts_without_progress",
        "rung",
        "retries",
        "retry_at",
        "last_failure",
        "energy_joules",
        "settings",
        "started_at",
        "finished_at",
        "device",
        "plan",
        "progress",
        "paused",
        "result",
        "failure",
    ];

    /// Moves the job to `next`, if its life allows that.
    pub fn transition(&mut self, next: JobState) -> Result<(), IllegalTransition> {
        let (from, to) = (self.state.name(), next.name());
        if !from.may_become(to) {
            return Err(IllegalTransition {
                job: self.id,
                from,
                to,
            });
        }
        self.state = next;
        Ok(())
    }

    /// What is rendered: what the job says, and the farm's defaults where it says nothing.
    pub fn rendered_spec(&self) -> Cow<'_, ValidSpec> {
        if self.farm_defaults.is_empty() {
            Cow::Borrowed(&self.spec)
        } else {
            Cow::Owned(self.spec.clone().with(&self.farm_defaults))
        }
    }

    /// The model that renders it.
    pub fn rendered_model(&self) -> crate::Model {
        self.rendered_spec().model
    }

    /// Whether nothing more will happen to the job by itself.
    pub fn is_finished(&self) -> bool {
        self.state.name().is_finished()
    }

    /// Whether all its sections are there, as far as a running job tells: only the video is left to be made.
    pub fn has_all_sections(&self) -> bool {
        let JobState::Running { plan, progress, .. } = &self.state else {
            return false;
        };
        let done = self.runs.sections_done;
        let is_last = |progress: &Progress| match progress.phase {
            Phase::Decode => progress.section + 1 >= progress.sections,
            phase => matches!(phase, Phase::Encode | Phase::Verify),
        };
        plan.as_ref().is_some_and(|plan| done >= plan.sections)
            || progress.as_ref().is_some_and(is_last)
    }

    /// What there is to say of a job that a user cancelled with `--keep` when all its sections were there.
    pub fn done_all_the_same(&self) -> Option<&'static str> {
        let is_done = matches!(self.state, JobState::Done { .. });
        (is_done && self.runs.keep_sections).then_some("had all its sections; it is done")
    }

    /// When it was submitted, began or ended, whichever was last.
    pub fn changed_at(&self) -> Timestamp {
        match &self.state {
            JobState::Queued => self.submitted_at,
            JobState::Running { started_at, .. } => *started_at,
            state => state.finished_at().unwrap_or(self.submitted_at),
        }
    }

    /// Whether the job is in this state.
    pub fn is(&self, state: StateName) -> bool {
        self.state.name() == state
    }
}
