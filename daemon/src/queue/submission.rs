//! A job that enters: the same for the folder and the socket.

use std::path::PathBuf;

use framepack_config::Dedupe;
use framepack_jobs::{
    Job, JobId, JobState, Runs, Schedule, Settings, Source, Timestamp, ValidSpec, settings::Origins,
};
use thiserror::Error;

use crate::record::{Private, Record};

/// A job that has been checked and can be queued.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) name: String,
    pub(crate) key: String,
    pub(crate) source: Source,
    /// Id of the claimed file, if it came through the folder.
    pub(crate) claim: Option<String>,
    pub(crate) spec: ValidSpec,
    /// What the farm says where the spec does not.
    pub(crate) farm_defaults: Settings,
    /// Where each value of both comes from.
    pub(crate) origins: Origins,
    pub(crate) schedule: Schedule,
    pub(crate) seed: u64,
    /// The start image as the user named it, absolute.
    pub(crate) image: PathBuf,
    /// The daemon's copy of it.
    pub(crate) input: PathBuf,
    /// SHA-256 of its content, in hexadecimal.
    pub(crate) input_sha256: String,
    pub(crate) warnings: Vec<String>,
    /// Whether a closer look at its prompts and its image may find more to warn of, as far as can be told.
    pub(crate) may_warn: bool,
    /// What becomes of it if it is there already.
    pub(crate) dedupe: Dedupe,
}

impl Submission {
    /// The queued job that it becomes.
    pub(crate) fn into_record(self, id: JobId, output: PathBuf) -> Record {
        Record {
            job: Job {
                id,
                output,
                name: self.name,
                key: self.key,
                state: JobState::Queued,
                submitted_at: Timestamp::now(),
                source: self.source,
                spec: self.spec,
                farm_defaults: self.farm_defaults,
                origins: self.origins,
                schedule: self.schedule,
                seed: self.seed,
                image: self.image,
                runs: Runs::default(),
                warnings: self.warnings,
            },
            private: Private {
                claim: self.claim,
                input: self.input,
                input_sha256: self.input_sha256,
                ..Private::default()
            },
        }
    }
}

#[cfg(test)]
impl Submission {
    /// The job that a file with `keys`, in braces, beside a start image would be; `name` is its name and its key.
    pub(in crate::queue) fn of_keys(name: &str, keys: &str) -> Self {
        use framepack_jobs::{JobSpec, Surroundings, settings::Farm};

        let text = format!("{{api: framepack/v1, start: {{image: a.png}}, {keys}}}");
        let surroundings = Surroundings {
            file_stem: name.to_owned(),
            bundle_latent_window: 9,
            farm: Farm::default(),
        };
        let valid = JobSpec::parse(&text)
            .unwrap()
            .validate(&surroundings)
            .unwrap();
        Self {
            key: name.to_owned(),
            name: valid.name,
            source: Source::Submit { folder: "/".into() },
            claim: None,
            spec: valid.spec,
            farm_defaults: valid.farm_defaults,
            origins: valid.origins,
            schedule: valid.schedule,
            seed: 1,
            image: "/a.png".into(),
            input: "/a".into(),
            input_sha256: String::new(),
            warnings: Vec::new(),
            may_warn: false,
            dedupe: Dedupe::Skip,
        }
    }
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Submitted {
    /// It is a new job.
    New(Box<Job>),
    /// The same job (by key) is queued, running or done.
    Duplicate {
        job: Box<Job>,
        /// What would be rendered otherwise now: other farm-wide defaults.
        difference: Vec<String>,
    },
    /// A job with this key, which the user chose, and other content is queued, running or done.
    KeyTaken(Box<Job>),
}

/// Why a valid job could not be taken. It may be submitted again later.
#[derive(Debug, Error)]
pub(crate) enum SubmitError {
    #[error("{0}")]
    Store(String),
    #[error("the queue is full: it has {max_jobs} jobs, the limit set by queue.max_jobs")]
    Full { max_jobs: u64 },
}
