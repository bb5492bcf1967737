//! `submit`: a job file's text, by the same way as from the folder. Answered once the job is durable.

use std::time::Duration;

use framepack_ipc::{
    ErrorBody, ErrorEnvelope,
    control::{self, Response, SubmitOutcome, SubmitRequest},
};
use framepack_jobs::{Code, Source};

use tokio::time::timeout;

use super::service::Service;
use crate::{
    folder::{Offer, Refusal, Rejection},
    queue::{Submission, SubmitError, Submitted},
};

/// How long a client waits for warnings that come by a closer look. Its job is there already.
const MOMENT: Duration = Duration::from_secs(1);

pub(super) async fn submit(
    service: &Service,
    request: SubmitRequest,
) -> Result<Response, ErrorEnvelope> {
    let submission = accept(service, request).await?;
    let may_warn = submission.may_warn;
    let submitted = match service.queue.submit(submission).await? {
        Ok(Submitted::New(mut job)) => {
            let found = service.inspections.look_at(job.id);
            // What is found later is in the job's record.
            if may_warn
                && let Ok(Ok(())) = timeout(MOMENT, found).await
                && let Some(inspected) = service.queue.show(job.id).await?
            {
                *job = inspected;
            }
            control::Submission {
                job,
                outcome: SubmitOutcome::Created,
                settings_differ: Vec::new(),
            }
        }
        Ok(Submitted::Duplicate { job, difference }) => control::Submission {
            job,
            outcome: SubmitOutcome::Duplicate,
            settings_differ: difference,
        },
        Ok(Submitted::KeyTaken(job)) => {
            let message = format!(
                "key {:?} is already used by job {}, which is {} and renders something else",
                job.key,
                job.id,
                job.state.name()
            );
            return Err(ErrorBody::new(Code::KEY_TAKEN, message).path("key").into());
        }
        Err(error) => {
            let code = match &error {
                SubmitError::Store(_) => Code::STORE_FAILED,
                SubmitError::Full { .. } => Code::QUEUE_FULL,
            };
            return Err(ErrorBody::new(code, error.to_string()).into());
        }
    };
    Ok(Response::Submitted(submitted))
}

/// Checks a job file and copies its image.
pub(super) async fn accept(
    service: &Service,
    request: SubmitRequest,
) -> Result<Submission, ErrorEnvelope> {
    if !request.folder.is_absolute() {
        let message = format!(
            "the folder of the job file is not an absolute path: {}",
            request.folder.display()
        );
        return Err(ErrorBody::new(Code::BAD_MESSAGE, message).into());
    }
    let offer = Offer {
        text: &request.yaml,
        set: &request.set,
        stem: &request.stem,
        folder: &request.folder,
        source: Source::Submit {
            folder: request.folder.clone(),
        },
        claim: None,
    };
    Ok(service.intake.accept(offer).await?)
}

impl From<Refusal> for ErrorEnvelope {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotNow(failure) => ErrorBody::from(failure).into(),
            Refusal::Rejected(Rejection { failure, problems }) => {
                let mut errors = problems.iter().map(ErrorBody::from);
                match errors.next() {
                    Some(error) => Self {
                        error,
                        more: errors.collect(),
                    },
                    None => ErrorBody::from(failure).into(),
                }
            }
        }
    }
}
