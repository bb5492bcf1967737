//! A job enters: the same for the folder and the socket.

use std::path::PathBuf;

use framepack_config::Dedupe;
use framepack_jobs::{
    Job, JobId, JobState, Runs, Schedule, Settings, Source, Timestamp, ValidSpec,
};
use thiserror::Error;
use tokio::sync::oneshot;

use super::{Queue, commit::Unanswered};
use crate::{
    inputs,
    outputs::reservation,
    record::{Private, Record},
};

/// How long a key stands for the job that was done with it: 30 days.
const KEY_MEMORY_SECS: f64 = 30.0 * 86_400.0;

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
    pub(crate) schedule: Schedule,
    pub(crate) seed: u64,
    /// The start image as the user named it, absolute.
    pub(crate) image: PathBuf,
    /// The daemon's copy of it.
    pub(crate) input: PathBuf,
    /// SHA-256 of its content, in hexadecimal.
    pub(crate) input_sha256: String,
    pub(crate) warnings: Vec<String>,
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

/// Whether a job that was done then still stands for what is submitted with its key.
fn is_recent(finished_at: Timestamp, now: Timestamp) -> bool {
    now.secs_since(finished_at) < KEY_MEMORY_SECS
}

impl Queue {
    /// Adds a job, unless it is there already. The copy of its image is removed when no job comes of it.
    pub(super) fn submit(
        &mut self,
        submission: Submission,
        reply: oneshot::Sender<Result<Submitted, SubmitError>>,
    ) {
        match self.take(submission) {
            Ok(outcome) => self.submissions.push(Unanswered { outcome, reply }),
            Err(refused) => {
                let _ = reply.send(Err(refused));
            }
        }
    }

    fn take(&mut self, mut submission: Submission) -> Result<Submitted, SubmitError> {
        let known = match submission.dedupe {
            Dedupe::Off => None,
            Dedupe::Skip | Dedupe::Warn => self.live_or_done(&submission.key),
        };
        if let Some(known) = known
            && submission.dedupe == Dedupe::Warn
        {
            let warning = format!(
                "duplicate of job {}; rendered anyway (spool.dedupe: warn)",
                known.id
            );
            submission.warnings.push(warning);
        } else if let Some(known) = known {
            let same = known.spec == submission.spec;
            let job = Box::new(known.clone());
            inputs::remove(&submission.input);
            return Ok(if same {
                let rendered = submission.spec.with(&submission.farm_defaults);
                let difference = rendered.difference(&job.rendered_spec());
                Submitted::Duplicate { job, difference }
            } else {
                Submitted::KeyTaken(job)
            });
        }
        if self.is_full() {
            inputs::remove(&submission.input);
            let max_jobs = self.max_jobs;
            return Err(SubmitError::Full { max_jobs });
        }
        let id = JobId(self.last_id.0 + 1);
        let Submission {
            spec, name, seed, ..
        } = &submission;
        let output = self.free_output(spec, name, *seed);
        let record = submission.into_record(id, output);
        // Never given out again, even when the store refuses it: a part of the record may be on the disk.
        self.last_id = id;
        let job = Box::new(record.job.clone());
        self.jobs.insert(id, record);
        self.scheduler.look_again();
        self.persist(id);
        Ok(Submitted::New(job))
    }

    /// The job of this key, if it will have a video or has one. One that failed, was cancelled, was done long
    /// ago, or whose video was removed may be rendered again, as a new job.
    fn live_or_done(&self, key: &str) -> Option<&Job> {
        let job = &self.jobs[&self.index.by_key(key)?].job;
        let stands = match job.state {
            JobState::Done { finished_at, .. } => {
                is_recent(finished_at, Timestamp::now()) && job.output.exists()
            }
            _ => !job.is_finished(),
        };
        stands.then_some(job)
    }

    /// The first free of `name.mp4`, `name-2.mp4`, … in the job's output folder.
    pub(super) fn free_output(&self, spec: &ValidSpec, name: &str, seed: u64) -> PathBuf {
        let (folder, stem) = self.renderer.output(spec, name, seed);
        let candidates = (1_u32..).map(|n| match n {
            1 => folder.join(format!("{stem}.mp4")),
            n => folder.join(format!("{stem}-{n}.mp4")),
        });
        candidates
            .into_iter()
            .find(|path| {
                !path.exists() && !self.index.is_reserved(path) && !reservation::exists(path)
            })
            .expect("there are more numbers than files")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_08_a_key_is_remembered_for_thirty_days() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let done = time("2026-11-23T12:00:00.000000Z");
        assert!(is_recent(done, time("2026-12-23T11:59:59.000000Z")));
        assert!(!is_recent(done, time("2026-12-23T12:00:00.000000Z")));
        // A clock that was set back forgets nothing.
        assert!(is_recent(done, time("2026-11-22T12:00:00.000000Z")));
    }
}
