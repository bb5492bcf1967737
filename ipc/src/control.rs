//! Messages between a client and the daemon: one JSON object a line, over a Unix socket.
//!
//! The client's first line is [`Request::Hello`]; the daemon answers [`Response::Hello`], or an error
//! of class `protocol` and hangs up. Then each request has one answer, except [`Request::Watch`],
//! which has many.

use std::path::PathBuf;

use framepack_jobs::{Code, Job, JobId, MemoryPlan, Selector, StateName, settings::Setting};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use crate::status::{DaemonStatus, Note, WorkerState, WorkerStatus};
use crate::{
    ErrorBody, ErrorEnvelope,
    check::Check,
    folder::Scan,
    queue::{ChangeRequest, Changed, QueueView},
    state::{Imported, StateReport, StateRequest},
};

/// Version of this protocol. Within a version, keys and variants are only added.
pub const CONTROL_PROTOCOL: u32 = 1;

/// Where clients look for the daemon when they are not told.
pub const DEFAULT_SOCKET: &str = "/run/framepackd/framepackd.sock";

/// Largest request in bytes: a job file of [`framepack_jobs::MAX_FILE_BYTES`], each byte escaped, and what goes with it.
pub const MAX_REQUEST_BYTES: usize = 6 * framepack_jobs::MAX_FILE_BYTES + (64 << 10);

/// Largest response in bytes: a list of some ten thousand jobs.
pub const MAX_RESPONSE_BYTES: usize = 64 << 20;

/// What a client wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    /// Who asks. First message of a connection. Answered by [`Response::Hello`].
    Hello(ClientInfo),
    /// Take this job file. Answered by [`Response::Submitted`].
    Submit(SubmitRequest),
    /// All jobs, or those in some states. Answered by [`Response::Jobs`].
    List(ListRequest),
    /// The selected jobs. Answered by [`Response::Jobs`].
    Show(SelectRequest),
    /// The selected jobs, now and at each change. Answered by one [`Response::Job`] for each
    /// selected job, another one whenever one of them changes, and [`Response::End`] once all are
    /// finished.
    Watch(SelectRequest),
    /// Stop the selected jobs. Answered by [`Response::Cancelled`].
    Cancel(SelectRequest),
    /// The order in which jobs will run. Answered by [`Response::Queue`].
    Queue,
    /// Hold, pause, raise, retry. Answered by [`Response::Changed`].
    Change(ChangeRequest),
    /// Where a job's weights would be and how much memory it would take; nothing is queued or changed. Answered by
    /// [`Response::Planned`] once a worker has worked it out, which it does between two steps.
    Plan(PlanRequest),
    /// What was logged about a job. Answered by any number of [`Response::Log`] and [`Response::End`].
    Logs(LogsRequest),
    /// The daemon's figures. Answered by [`Response::Metrics`].
    Metrics,
    /// The daemon's settings. Answered by [`Response::Config`].
    Config,
    /// Whether everything is there that rendering takes. Answered by [`Response::Checked`].
    Doctor,
    /// Look after the store of jobs.
    State(StateRequest),
    /// Look at the jobs folder now. Answered by [`Response::Scanned`].
    Scan,
    /// Is anybody there. Answered by [`Response::Pong`].
    Ping,
    /// Re-enable a disabled device. Answered by [`Response::Enabled`].
    EnableDevice(DeviceRequest),
}

/// Who a client is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientInfo {
    /// [`CONTROL_PROTOCOL`] of the client.
    pub protocol: u32,
    /// Its version, for the log.
    pub version: String,
}

/// A job file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmitRequest {
    /// The file's text; the daemon parses and validates it.
    pub yaml: String,
    /// Absolute folder that the file's relative paths refer to.
    pub folder: PathBuf,
    /// The file's name without suffix: the job's name, if the text has none.
    pub stem: String,
}

/// Which jobs to list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ListRequest {
    /// Only jobs in these states; empty = all.
    #[serde(default)]
    pub states: Vec<StateName>,
}

/// Which jobs are meant: at least one selector. One that fits nothing is an error of class `not_found`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelectRequest {
    /// The selectors, joined by "or".
    pub jobs: Vec<Selector>,
}

/// A job whose log is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogsRequest {
    /// The job.
    pub job: JobId,
    /// Whether to go on until the job is finished.
    pub follow: bool,
}

/// A job whose memory is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRequest {
    /// The job.
    pub subject: PlanSubject,
}

/// Which device is meant. One that has no worker is an error of class `not_found`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRequest {
    /// `cpu` or `cuda:N`.
    pub device: String,
}

/// What a plan is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanSubject {
    /// A job file, as it would be submitted.
    File(SubmitRequest),
    /// A job that has not ended.
    Job(JobId),
}

/// What the daemon answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Response {
    /// Who answers.
    Hello(DaemonInfo),
    /// The job is stored, synced, and will survive any crash.
    Submitted(Submission),
    /// Jobs in the order of their numbers.
    Jobs {
        /// The jobs.
        jobs: Vec<Job>,
    },
    /// A part of the jobs, when they are many; the others follow, the last ones as [`Response::Jobs`].
    MoreJobs {
        /// The jobs.
        jobs: Vec<Job>,
    },
    /// How the store is.
    State(StateReport),
    /// One record of the store, with what only the daemon knows of the job.
    Record {
        /// As [`StateRequest::Import`] takes it.
        record: Value,
    },
    /// What became of each record that was to be imported, in their order.
    Imported {
        /// The outcomes.
        outcomes: Vec<Imported>,
    },
    /// A job as it is now.
    Job(Box<Job>),
    /// Events about a job, each a JSON object with `at`, `level`, `message` and what else the event has.
    Log {
        /// The events in the order in which they happened.
        lines: Vec<String>,
    },
    /// All watched jobs are finished, or a log is at its end.
    End,
    /// What became of each selected job.
    Cancelled {
        /// The jobs in the order of their numbers.
        jobs: Vec<Cancellation>,
    },
    /// The order in which jobs will run.
    Queue(QueueView),
    /// What became of each job that was to be changed.
    Changed {
        /// The jobs in the order of their numbers.
        jobs: Vec<Changed>,
    },
    /// The memory that a job would take.
    Planned(Box<MemoryPlan>),
    /// The settings that the daemon runs with.
    Config {
        /// In the order of the documented file.
        settings: Vec<Setting>,
    },
    /// The daemon's figures.
    Metrics {
        /// OpenMetrics text.
        text: String,
    },
    /// What was looked at, and how it is.
    Checked {
        /// The checks.
        checks: Vec<Check>,
    },
    /// What is in the jobs folder.
    Scanned(Scan),
    /// The daemon is there.
    Pong(DaemonStatus),
    /// The device gets jobs.
    Enabled(Enabling),
    /// The request was not carried out.
    Error(ErrorEnvelope),
}

/// Who the daemon is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaemonInfo {
    /// [`CONTROL_PROTOCOL`] of the daemon.
    pub protocol: u32,
    /// Its version.
    pub version: String,
}

/// A job that was submitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Submission {
    /// The job.
    pub job: Box<Job>,
    /// Whether it is new.
    pub outcome: SubmitOutcome,
    /// Of a duplicate: with which settings it would be rendered now instead of the job's, as farm-wide defaults are not
    /// part of the key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings_differ: Vec<String>,
}

/// What a submission did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubmitOutcome {
    /// A new job is queued.
    Created,
    /// The same job is queued, running or done already; nothing changed.
    Duplicate,
    /// An outcome of a later version.
    #[serde(other)]
    Unknown,
}

/// What became of a job that was to be stopped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cancellation {
    /// The job.
    pub job: Box<Job>,
    /// Whether it stops.
    pub outcome: CancelOutcome,
}

/// Whether a job stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelOutcome {
    /// It was queued and is cancelled.
    Cancelled,
    /// It is running and stops at its next step.
    Stopping,
    /// It was finished before; nothing changed.
    AlreadyFinished,
    /// An outcome of a later version.
    #[serde(other)]
    Unknown,
}

/// A device that is to get jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enabling {
    /// `cpu` or `cuda:N`.
    pub device: String,
    /// Whether that is new.
    pub outcome: EnableOutcome,
}

/// Whether a device was re-enabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnableOutcome {
    /// It was disabled; a worker is being started.
    Enabled,
    /// It was not disabled; nothing changed.
    NotFaulty,
    /// An outcome of a later version.
    #[serde(other)]
    Unknown,
}

impl ClientInfo {
    /// This client, at `version`.
    pub fn new(version: &str) -> Self {
        Self {
            protocol: CONTROL_PROTOCOL,
            version: version.to_owned(),
        }
    }
}

impl Request {
    /// The daemon's answer to a connection's first message: who it is, or why it won't talk.
    pub fn answer_hello(&self, daemon_version: &str) -> Result<DaemonInfo, ErrorBody> {
        match self {
            Self::Hello(client) if client.protocol == CONTROL_PROTOCOL => Ok(DaemonInfo {
                protocol: CONTROL_PROTOCOL,
                version: daemon_version.to_owned(),
            }),
            Self::Hello(client) => {
                let message = format!(
                    "framepackctl {} speaks protocol {}, framepackd {daemon_version} speaks {CONTROL_PROTOCOL}",
                    client.version, client.protocol
                );
                Err(ErrorBody::new(Code::PROTOCOL_MISMATCH, message))
            }
            _ => Err(ErrorBody::new(
                Code::PROTOCOL_MISMATCH,
                "the first message of a connection must be hello",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hello_is_refused_to_another_protocol_and_to_anything_else() {
        let same = Request::Hello(ClientInfo::new("1.2.3"));
        assert_eq!(same.answer_hello("0.1.0").unwrap().version, "0.1.0");
        let newer = Request::Hello(ClientInfo {
            protocol: CONTROL_PROTOCOL + 1,
            version: "9.0.0".to_owned(),
        });
        let refusal = newer.answer_hello("0.1.0").unwrap_err();
        assert_eq!(
            refusal.message,
            "framepackctl 9.0.0 speaks protocol 2, framepackd 0.1.0 speaks 1"
        );
        assert!(Request::Ping.answer_hello("0.1.0").is_err());
    }

    #[test]
    fn requests_look_like_this_on_the_wire() {
        let cancel = Request::Cancel(SelectRequest {
            jobs: vec!["3-9".parse().unwrap(), "@failed".parse().unwrap()],
        });
        let json = r#"{"type":"cancel","jobs":["3-9","@failed"]}"#;
        assert_eq!(serde_json::to_string(&cancel).unwrap(), json);
        assert_eq!(serde_json::from_str::<Request>(json).unwrap(), cancel);
        let list: Request = serde_json::from_str(r#"{"type":"list"}"#).unwrap();
        assert_eq!(list, Request::List(ListRequest::default()));
    }

    #[test]
    fn outcomes_of_later_versions_are_understood_as_unknown() {
        let outcome: CancelOutcome = serde_json::from_str("\"postponed\"").unwrap();
        assert_eq!(outcome, CancelOutcome::Unknown);
    }
}
