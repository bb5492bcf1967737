//! The way to the queue for a thread that waits for its answers.

use std::{
    ffi::{OsStr, OsString},
    sync::Arc,
};

use framepack_jobs::{JobId, Source};
use tokio::runtime;

use crate::{
    folder::dropped,
    queue::{QueueHandle, Stopping, Submission, SubmitError, Submitted, Summary},
    record::Record,
    worker::Inspections,
};

/// What the queue says to a submission.
pub(super) type QueueAnswer = Result<Submitted, SubmitError>;

/// The queue, and the runtime that its answers come from.
#[derive(Debug)]
pub(super) struct QueueLink {
    queue: QueueHandle,
    inspections: Inspections,
    runtime: runtime::Handle,
}

impl QueueLink {
    /// For a thread beside the runtime that this is called in.
    pub(super) fn new(queue: QueueHandle, inspections: Inspections) -> Self {
        Self {
            queue,
            inspections,
            runtime: runtime::Handle::current(),
        }
    }

    pub(super) fn summary(&self) -> Result<Summary, Stopping> {
        self.runtime.block_on(self.queue.summary())
    }

    /// The job that came with this claimed file.
    pub(super) fn by_claim(&self, id: &str) -> Result<Option<Arc<Record>>, Stopping> {
        self.runtime.block_on(self.queue.by_claim(id.to_owned()))
    }

    /// Offers the jobs of many files, all at once, so that they share a sync.
    pub(super) fn submit<F>(
        &self,
        files: Vec<(F, Vec<Submission>)>,
    ) -> Result<Vec<(F, Vec<QueueAnswer>)>, Stopping> {
        let submit = async {
            let (mut waiting, mut all) = (Vec::with_capacity(files.len()), Vec::new());
            for (file, submissions) in files {
                waiting.push((file, submissions.len()));
                all.extend(submissions);
            }
            let mut answers = self.queue.begin_submit(all).await?.into_iter();
            let mut answered = Vec::with_capacity(waiting.len());
            for (file, count) in waiting {
                let mut submitted = Vec::with_capacity(count);
                for answer in answers.by_ref().take(count) {
                    let answer = answer.await.map_err(|_| Stopping)?;
                    if let Ok(Submitted::New(job)) = &answer {
                        // What is found is in the job's record then; nobody here waits for it.
                        drop(self.inspections.look_at(job.id));
                    }
                    submitted.push(answer);
                }
                answered.push((file, submitted));
            }
            Ok(answered)
        };
        self.runtime.block_on(submit)
    }

    /// The name under which a file was dropped the first time: one that comes back out of the archive is the job that
    /// it was.
    ///
    /// The archive calls `cat.yaml` of job 2 `cat.2.yaml`. Only when job 2 did come as `cat.yaml` is the
    /// number taken off again, since a user may have a `take.2.yaml`, too.
    pub(super) fn first_name(&self, name: &OsStr) -> Result<OsString, Stopping> {
        let Some((first, id)) = dropped::split_archived(name) else {
            return Ok(name.to_owned());
        };
        if is_claim_id(&id) {
            return Ok(first);
        }
        let Ok(id) = id.parse::<JobId>() else {
            return Ok(name.to_owned());
        };
        let job = self.runtime.block_on(self.queue.show(id))?;
        let came_as_first = job.is_some_and(|job| match job.source {
            Source::Folder { file } => file.as_os_str() == first.to_string_lossy().as_ref(),
            Source::Submit { .. } => false,
        });
        Ok(if came_as_first {
            first
        } else {
            name.to_owned()
        })
    }
}

/// Whether it is what names a file in the archive that never became a job; nobody writes such a name by hand.
fn is_claim_id(id: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    id.len() == 16 && id.bytes().all(is_digit)
}
