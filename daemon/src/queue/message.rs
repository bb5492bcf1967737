//! What others ask of the queue.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use framepack_bundle::Look;
use framepack_ipc::{
    control::{ListRequest, WorkerStatus},
    estimate::Prediction,
    event::Event,
    queue::{Changed, QueueView},
    state::Imported,
    worker::Inspected,
};
use framepack_jobs::{Failure, Job, JobId, Model, Selector, StateName, Timestamp, Unmatched};
use tokio::sync::oneshot;

use super::{
    glance::{Glance, Recent},
    order::Order,
    remove::{NotRemoved, Removal},
    replacement::{NotReplaced, Replaced, Replacement},
    runs::{Ending, IdleWorker, WorkerReport},
    submission::{Submission, SubmitError, Submitted},
    view::Summary,
};
use crate::{
    disk::{Names, NotPrepared},
    record::Record,
};

/// A message, with the way to answer it.
#[derive(Debug)]
pub(super) enum Message {
    /// What has to be known of the disks before a job of this key and name is submitted.
    Survey(Box<Wanted>, oneshot::Sender<Survey>),
    Submit(
        Box<Submission>,
        Found,
        oneshot::Sender<Result<Submitted, SubmitError>>,
    ),
    Replace(
        Box<Replacement>,
        Found,
        Image,
        oneshot::Sender<Result<Replaced, NotReplaced>>,
    ),
    /// Why a job that has ended could not be removed.
    Needed(JobId, oneshot::Sender<Option<NotRemoved>>),
    Remove(Vec<JobId>, oneshot::Sender<Vec<Removal>>),
    Record(JobId, oneshot::Sender<Option<Box<Record>>>),
    ByClaim(String, oneshot::Sender<Option<Arc<Record>>>),
    Next(IdleWorker),
    /// A job's folders and the name of its video are there, or why not.
    Prepared(JobId, Result<PathBuf, NotPrepared>),
    /// Other shares answer than before.
    Shares,
    /// What a look at the model bundle found; nothing where its share does not answer.
    Looked(Option<Box<Look>>),
    /// The model bundle is not there, which was seen before any job needed it.
    Outage(Box<Failure>),
    WorkerReport(JobId, WorkerReport),
    Worker(WorkerStatus),
    /// A device has a model loaded that no job left there.
    Loaded(String, Model),
    Workers(oneshot::Sender<Vec<WorkerStatus>>),
    End(JobId, Box<Ending>, oneshot::Sender<()>),
    Change(
        Order,
        Images,
        oneshot::Sender<Result<Vec<Changed>, Unmatched>>,
    ),
    View(oneshot::Sender<QueueView>),
    /// How long a job would take on this device.
    Predict(Box<Record>, String, oneshot::Sender<Prediction>),
    List(ListRequest, oneshot::Sender<Vec<Job>>),
    Select(Vec<Selector>, oneshot::Sender<Result<Vec<Job>, Unmatched>>),
    Counts(oneshot::Sender<BTreeMap<StateName, u64>>),
    RecordsAfter(JobId, usize, oneshot::Sender<Vec<Record>>),
    Import(Box<Record>, Image, oneshot::Sender<Imported>),
    Show(JobId, oneshot::Sender<Option<Job>>),
    /// What a closer look at a job found, and when a user had changed the job last that was looked at.
    Inspected(Box<Inspected>, Option<Timestamp>, oneshot::Sender<()>),
    /// Whether nothing runs and nothing is ready to start.
    IsIdle(oneshot::Sender<bool>),
    /// What happened that is no change of a job.
    Tell(Box<Event>),
    Summary(oneshot::Sender<Summary>),
    Glance(Recent, oneshot::Sender<Glance>),
    Stop(oneshot::Sender<()>),
}

/// A job that will be submitted.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) key: String,
    /// Where its video goes.
    pub(super) folder: PathBuf,
    pub(super) stem: String,
}

/// What to look for on the disks.
#[derive(Debug)]
pub(super) struct Survey {
    /// The job of this key that is done, and its video.
    pub(super) done: Option<(JobId, PathBuf)>,
    pub(super) names: Names,
}

/// What was found on the disks.
#[derive(Debug)]
pub(super) struct Found {
    /// Free for the video.
    pub(super) output: PathBuf,
    /// A job whose video was removed.
    pub(super) without_video: Option<JobId>,
}

/// Whether a job's copy of its start image is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Image {
    There,
    Gone,
}

/// Copies of start images that were looked for.
pub(super) type Images = BTreeMap<JobId, Image>;
