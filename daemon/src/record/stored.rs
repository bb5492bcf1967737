//! A job's record: what everybody may know of it, and what only the daemon needs.

use std::path::PathBuf;

use framepack_ipc::worker::{Precaution, Temperature};
use framepack_jobs::Job;
use serde::{Deserialize, Serialize};

/// A job as it is stored: its public record, and what only the daemon needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) job: Job,
    pub(crate) private: Private,
}

/// What only the daemon needs of a job.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Private {
    /// Id of the claimed file, for a job that came through the folder.
    pub(crate) claim: Option<String>,
    /// The job's own copy of its start image.
    pub(crate) input: PathBuf,
    /// SHA-256 of that, in hexadecimal; empty in records of before.
    #[serde(default)]
    pub(crate) input_sha256: String,
    /// Version of the worker that had it last.
    pub(crate) worker_version: Option<String>,
    /// Workers that died while rendering this job.
    pub(crate) worker_deaths: u32,
    /// Runs that the kernel ended for want of memory: the next one has less page-locked memory.
    #[serde(default)]
    pub(crate) host_rung: u32,
    /// What the next run does otherwise than the last.
    #[serde(default)]
    pub(crate) precaution: Precaution,
    /// What need not be made again beside finished sections.
    #[serde(default)]
    pub(crate) kept: Kept,
    /// Where the last run began; `None` in records of versions that did not note it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) began: Option<Began>,
    /// It was filed, and a user had it tried again: its files follow it when it ends.
    #[serde(default)]
    pub(crate) was_retried: bool,
    /// A user wants it stopped and the worker has not said yet that it has.
    pub(crate) cancel_requested: bool,
}

/// How far a job is on the disk, in the order in which it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Sections whose frames are there.
    pub(crate) sections: u32,
    /// Steps of the next one.
    pub(crate) steps: u32,
    /// Pieces of its frames.
    pub(crate) pieces: u32,
}

/// Where a run began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Began {
    /// What its worker had loaded of what the job needs.
    pub(crate) temperature: Temperature,
    /// What earlier runs had left.
    pub(crate) kept: Kept,
}
