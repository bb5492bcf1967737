//! Messages between a client and the daemon: one JSON object a line, over a Unix socket.
//!
//! The client's first line is [`Greeting::Hello`]; the daemon answers [`Response::Hello`], or an error
//! of class `protocol` and hangs up. Then each request has one answer, except a [`Stream`], which has many and ends
//! with [`Response::End`], and a list of jobs that is sent in parts.

use std::path::PathBuf;

use framepack_jobs::{Job, JobId, Selector, settings::Setting};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    ErrorEnvelope,
    check::Check,
    edit::{EditRequest, Edited, JobFile, JobFileRequest, RemoveRequest, SetRequest},
    event::EventsRequest,
    farm::FarmStatus,
    folder::Scan,
    plan::JobPlan,
    preview::{Preview, PreviewRequest},
    queue::{ChangeRequest, Changed, QueueView},
    reload::Reloaded,
    start_image::{StartImage, StartImageRequest},
    state::{Imported, StateReport, StateRequest},
    upkeep::{Cache, CacheRequest, Collected, FarmInfo, GcRequest, Usage, UsageRequest},
    warmth::{UnloadRequest, WarmUpRequest, WarmthChange},
};
pub use crate::{
    hello::{CONTROL_PROTOCOL, ClientInfo, DaemonInfo, Greeting},
    list::ListRequest,
    status::{DaemonStatus, Note, Outage, WorkerState, WorkerStatus},
};

/// Where clients look for the daemon when they are not told.
pub const DEFAULT_SOCKET: &str = "/run/framepackd/framepackd.sock";

/// Largest request in bytes: a job file of [`framepack_jobs::MAX_FILE_BYTES`], each byte escaped, and what goes with it.
pub const MAX_REQUEST_BYTES: usize = 6 * framepack_jobs::MAX_FILE_BYTES + (64 << 10);

/// Largest response in bytes: a list of some ten thousand jobs.
pub const MAX_RESPONSE_BYTES: usize = 64 << 20;

/// What a client wants, once it has been greeted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    /// Take this job file. Answered by [`Response::Submitted`].
    Submit(SubmitRequest),
    /// All jobs, or those in some states. Answered by [`Response::Jobs`].
    List(ListRequest),
    /// The selected jobs. Answered by [`Response::Jobs`].
    Show(SelectRequest),
    /// The order in which jobs will run. Answered by [`Response::Queue`].
    Queue,
    /// Cancel, hold, pause, raise, retry. Answered by [`Response::Changed`].
    Change(ChangeRequest),
    /// A job that may be changed, as a job file. Answered by [`Response::JobFile`].
    JobFile(JobFileRequest),
    /// Put what a job file says in a job's place. Answered by [`Response::Edited`].
    Edit(EditRequest),
    /// Set keys of jobs. Answered by [`Response::Edited`].
    Set(SetRequest),
    /// Forget jobs that have ended. Answered by [`Response::Edited`], with the jobs as they were.
    Remove(RemoveRequest),
    /// Where a job's weights would be and how much memory it would take; nothing is queued or changed. Answered by
    /// [`Response::Planned`] once a worker has worked it out, which it does between two steps.
    Plan(PlanRequest),
    /// What a job's video looks like so far. Answered by [`Response::Preview`].
    Preview(PreviewRequest),
    /// A job's start image. Answered by [`Response::StartImage`].
    StartImage(StartImageRequest),
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
    /// The farm at a glance. Answered by [`Response::Farm`], whatever drivers and shares do.
    Farm,
    /// Is anybody there. Answered by [`Response::Pong`].
    Ping,
    /// Versions, paths and limits. Answered by [`Response::Info`].
    Info,
    /// Disk space, energy and hours. Answered by [`Response::Usage`], once the disks have been looked at.
    Usage(UsageRequest),
    /// Remove what nobody needs. Answered by [`Response::Collected`].
    Gc(GcRequest),
    /// Look at caches, or clear them. Answered by [`Response::Caches`].
    Caches(CacheRequest),
    /// Re-enable a disabled device. Answered by [`Response::Enabled`].
    EnableDevice(DeviceRequest),
    /// Read the configuration again. Answered by [`Response::Reloaded`].
    Reload,
    /// Load models before the first job needs them. Answered by [`Response::Warmth`], once they are loaded.
    WarmUp(WarmUpRequest),
    /// Have workers without a job give up memory. Answered by [`Response::Warmth`].
    Unload(UnloadRequest),
    /// What has many answers. Answered by those, and by [`Response::End`].
    Stream(Stream),
}

/// What has many answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Stream {
    /// The selected jobs, now and at each change: one [`Response::Job`] for each selected job, another one whenever one
    /// of them changes, and the end once all are finished.
    Events(SelectRequest),
    /// What was logged about a job: any number of [`Response::Log`].
    Log(LogsRequest),
    /// All records of the store: a [`Response::Record`] for each.
    Records,
    /// What happens to jobs, devices and the farm: any number of [`Response::Events`].
    EventLog(EventsRequest),
    /// Nothing but the end, once nothing runs and nothing is ready to start.
    Idle,
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
    /// Keys that stand in the place of the file's, as `steps=32`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<String>,
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
    /// What happened, in its order.
    Events {
        /// Events that were asked for, each a JSON object as [`crate::event::Event`] describes it.
        lines: Vec<String>,
        /// Where the reader is: behind these, and behind those that it did not ask for.
        cursor: String,
    },
    /// The stream is at its end.
    End,
    /// The order in which jobs will run.
    Queue(QueueView),
    /// What became of each job that was to be changed.
    Changed {
        /// The jobs in the order of their numbers.
        jobs: Vec<Changed>,
        /// What the user should know of the queue.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remark: Option<String>,
    },
    /// A job as a job file.
    JobFile(JobFile),
    /// What became of each job that was to be another one, or to be forgotten.
    Edited {
        /// The jobs in the order of their numbers.
        jobs: Vec<Edited>,
    },
    /// The memory that a job would take, and the time.
    Planned(Box<JobPlan>),
    /// What a job's video looks like so far.
    Preview(Preview),
    /// A job's start image.
    StartImage(StartImage),
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
    /// The farm as it is now.
    Farm(Box<FarmStatus>),
    /// Versions, paths and limits.
    Info(Box<FarmInfo>),
    /// What the farm has taken.
    Usage(Usage),
    /// What was removed, or would be.
    Collected(Collected),
    /// What there is, or was before it was cleared.
    Caches {
        /// The caches.
        caches: Vec<Cache>,
    },
    /// The device gets jobs.
    Enabled(Enabling),
    /// What came of reading the configuration again.
    Reloaded(Reloaded),
    /// What became of each device's memory.
    Warmth {
        /// By device.
        devices: Vec<WarmthChange>,
    },
    /// The request was not carried out.
    Error(ErrorEnvelope),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::{EventType, Since},
        queue::{Change, ChangeOutcome, Scope},
    };

    #[test]
    fn requests_look_like_this_on_the_wire() {
        let jobs = || vec!["3-9".parse().unwrap(), "@failed".parse().unwrap()];
        let messages = [
            (
                Request::Show(SelectRequest { jobs: jobs() }),
                r#"{"type":"show","jobs":["3-9","@failed"]}"#,
            ),
            (
                Request::Change(ChangeRequest {
                    scope: Scope::Jobs(jobs()),
                    change: Change::Cancel,
                }),
                r#"{"type":"change","scope":{"jobs":["3-9","@failed"]},"change":{"to":"cancel"}}"#,
            ),
            (
                Request::Stream(Stream::Events(SelectRequest { jobs: jobs() })),
                r#"{"type":"stream","of":"events","jobs":["3-9","@failed"]}"#,
            ),
            (
                Request::Stream(Stream::Records),
                r#"{"type":"stream","of":"records"}"#,
            ),
            (
                Request::Stream(Stream::EventLog(EventsRequest {
                    since: Some(Since::Cursor("9f3c2a1b-17-0".to_owned())),
                    follow: true,
                    types: vec![EventType::Job],
                    jobs: Vec::new(),
                })),
                r#"{"type":"stream","of":"event_log","since":{"cursor":"9f3c2a1b-17-0"},"follow":true,"types":["job"]}"#,
            ),
            (
                Request::Stream(Stream::Idle),
                r#"{"type":"stream","of":"idle"}"#,
            ),
        ];
        for (request, json) in messages {
            assert_eq!(serde_json::to_string(&request).unwrap(), json);
            assert_eq!(serde_json::from_str::<Request>(json).unwrap(), request);
        }
        let list: Request = serde_json::from_str(r#"{"type":"list"}"#).unwrap();
        assert_eq!(list, Request::List(ListRequest::default()));
    }

    #[test]
    fn outcomes_of_later_versions_are_understood_as_unknown() {
        let outcome: ChangeOutcome = serde_json::from_str("\"postponed\"").unwrap();
        assert_eq!(outcome, ChangeOutcome::Unknown);
    }
}
