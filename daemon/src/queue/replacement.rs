//! A job that is to stand in the place of another one, as it is checked and before it does.

use framepack_ipc::edit::SetOf;
use framepack_jobs::{Job, JobId, StateName};
use thiserror::Error;

use super::submission::Submission;
use crate::{record::Record, render::Renderer};

/// What a job is to be.
#[derive(Debug)]
pub(crate) struct Replacement {
    /// The job as it was when the other was made of it.
    pub(crate) was: Box<Record>,
    /// The other, with the same copy of the start image or one of its own.
    pub(crate) submission: Submission,
    pub(crate) of: SetOf,
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum Replaced {
    /// It is another job now. With what the user should know.
    Changed { job: Box<Job>, remarks: Vec<String> },
    /// It was that before.
    Unchanged(Box<Job>),
}

/// Why a job stays what it is. Each begins with the job's number.
#[derive(Debug, Error)]
pub(crate) enum NotReplaced {
    #[error("no such job: {0}")]
    Gone(JobId),
    #[error("job {0} {1}")]
    State(JobId, String),
    #[error("job {0} was changed meanwhile")]
    Meanwhile(JobId),
    #[error("job {id} would be the same as job {other}, which is {state}")]
    Same {
        id: JobId,
        other: JobId,
        state: StateName,
    },
    #[error("job {0} would wait for itself: `after` names a job that waits for it")]
    Circular(JobId),
}

impl Replacement {
    /// Whether key and name of the video stay: nothing is to be looked for on the disks.
    pub(super) fn keeps_its_place(&self, renderer: &Renderer) -> bool {
        self.submission.key == self.was.job.key && self.keeps_its_name(renderer)
    }

    /// Whether it has a copy of a start image of its own.
    pub(super) fn has_other_input(&self) -> bool {
        self.submission.input != self.was.private.input
    }

    /// Whether the name of the video stays.
    pub(super) fn keeps_its_name(&self, renderer: &Renderer) -> bool {
        let (new, was) = (&self.submission, &self.was.job);
        renderer.output(&new.spec, &new.name, new.seed)
            == renderer.output(&was.spec, &was.name, was.seed)
    }

    /// Keys that the sections so far depend on and that are other now.
    pub(super) fn resampled(&self) -> Vec<&'static str> {
        let (new, was) = (&self.submission, &self.was);
        let rendered = new.spec.clone().with(&new.farm_defaults);
        let mut keys = rendered.sampled_otherwise(&was.job.rendered_spec());
        if new.seed != was.job.seed && !keys.contains(&"seed") {
            keys.push("seed");
        }
        if self.has_other_input() && new.input_sha256 != was.private.input_sha256 {
            keys.push("start.image");
        }
        keys
    }

    /// Whether the job is that already.
    pub(super) fn is_unchanged(&self) -> bool {
        let (new, was) = (&self.submission, &self.was);
        !self.has_other_input()
            && (&new.name, &new.key, new.seed) == (&was.job.name, &was.job.key, was.job.seed)
            && new.schedule == was.job.schedule
            && new.spec == was.job.spec
            && new.farm_defaults == was.job.farm_defaults
    }
}

/// Whether a job may become another one, by its state.
pub(crate) fn is_replaceable(job: &Job, of: SetOf) -> Result<(), NotReplaced> {
    use StateName::{Cancelled, Done, Expired, Failed, Queued, Running};
    let (id, state) = (job.id, job.state.name());
    let why = match (of, state) {
        (SetOf::Queued, Queued) | (SetOf::Failed { .. }, Failed | Expired) => return Ok(()),
        (SetOf::Queued, Running) => format!(
            "is running: `framepackctl pause {id}` puts it back into the queue at the end of its section"
        ),
        (SetOf::Queued, Failed | Expired) => {
            format!(
                "is {state}: `framepackctl retry {id} --set KEY=VALUE` changes it and queues it again"
            )
        }
        (SetOf::Failed { .. }, Cancelled) => {
            format!("is {state}, and what it needs has been removed: submit its file again")
        }
        (SetOf::Failed { .. }, Queued) => {
            format!("is {state}: `framepackctl set {id} KEY=VALUE` changes it")
        }
        (SetOf::Failed { .. }, Running) => format!("is {state}"),
        (SetOf::Queued, Done | Cancelled) | (SetOf::Failed { .. }, Done) => {
            format!("is already {state}")
        }
    };
    Err(NotReplaced::State(id, why))
}
