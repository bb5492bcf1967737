//! `edit`, `set` and `retry --set`: jobs become other ones under the same numbers.

use framepack_ipc::{
    ErrorBody, ErrorEnvelope,
    control::Response,
    edit::{EditRequest, Edited, JobFile, JobFileRequest, SetOf, SetRequest},
    queue::{ChangeOutcome, Changed},
};
use framepack_jobs::{Code, Job, JobId, Source};

use super::{selected::selected_by, service::Service};
use crate::{
    folder::Revision,
    queue::{NotReplaced, Replaced, Replacement, is_replaceable},
    record::Record,
};

/// How often keys are set anew of a job that somebody else changes in the same moment.
const ATTEMPTS: u32 = 3;

/// A job as a job file.
pub(super) async fn job_file(
    service: &Service,
    request: JobFileRequest,
) -> Result<Response, ErrorEnvelope> {
    let jobs = selected_by(service, vec![request.job]).await?;
    let [job] = jobs.as_slice() else {
        let message = format!("`edit` takes one job; {} match", jobs.len());
        return Err(ErrorBody::new(Code::USAGE, message).into());
    };
    let record = record(service, job.id).await?;
    is_replaceable(&record.job, SetOf::Queued)?;
    Ok(Response::JobFile(JobFile {
        job: job.id,
        yaml: record.job.to_file(&record.private.input_sha256),
    }))
}

/// Puts what a job file says in the place of the job that it was made of.
pub(super) async fn edit(
    service: &Service,
    request: EditRequest,
) -> Result<Response, ErrorEnvelope> {
    let record = record(service, request.job).await?;
    if record.job.to_file(&record.private.input_sha256) != request.was {
        return Err(NotReplaced::Meanwhile(request.job).into());
    }
    let text = NewText {
        text: Some(&request.yaml),
        set: &[],
        of: SetOf::Queued,
    };
    let replaced = replace(service, record, text).await?;
    let jobs = vec![told(replaced)];
    Ok(Response::Edited { jobs })
}

/// Sets keys of jobs, of each by itself.
pub(super) async fn set(service: &Service, request: SetRequest) -> Result<Response, ErrorEnvelope> {
    let mut jobs = Vec::new();
    for job in selected_by(service, request.jobs.clone()).await? {
        jobs.push(match set_of(service, job.id, &request).await {
            Ok(replaced) => told(replaced),
            Err(refused) => refusal(job, refused, request.of),
        });
    }
    Ok(Response::Edited { jobs })
}

async fn set_of(
    service: &Service,
    job: JobId,
    request: &SetRequest,
) -> Result<Replaced, ErrorEnvelope> {
    let text = NewText {
        text: None,
        set: &request.set,
        of: request.of,
    };
    let mut attempt = 1;
    loop {
        let replaced = replace(service, record(service, job).await?, text).await;
        match replaced {
            Err(refused) if refused.error.code == Code::CHANGED_MEANWHILE && attempt < ATTEMPTS => {
                attempt += 1;
            }
            replaced => return replaced,
        }
    }
}

/// What a job is to be.
#[derive(Debug, Clone, Copy)]
struct NewText<'a> {
    /// `None`: what it says now.
    text: Option<&'a str>,
    set: &'a [String],
    of: SetOf,
}

/// Checks what a job is to be, and puts it in the job's place.
async fn replace(
    service: &Service,
    record: Record,
    NewText { text, set, of }: NewText<'_>,
) -> Result<Replaced, ErrorEnvelope> {
    is_replaceable(&record.job, of)?;
    let now = record.job.to_file(&record.private.input_sha256);
    let folder = match &record.job.source {
        Source::Submit { folder } => folder,
        Source::Folder { .. } => &service.jobs,
    };
    let revision = Revision {
        text: text.unwrap_or(&now),
        set,
        record: &record,
        folder,
    };
    let submission = service.intake.revise(revision).await?;
    let is_other = submission.spec != record.job.spec || submission.input != record.private.input;
    let replacement = Replacement {
        was: Box::new(record),
        submission,
        of,
    };
    let replaced = service.queue.replace(replacement).await??;
    if let Replaced::Changed { job, .. } = &replaced
        && is_other
    {
        // What is found is in the job's record then; nobody waits for it.
        drop(service.inspections.look_at(job.id));
    }
    Ok(replaced)
}

async fn record(service: &Service, job: JobId) -> Result<Record, ErrorEnvelope> {
    let record = service.queue.record(job).await?;
    let record = record.ok_or(NotReplaced::Gone(job))?;
    Ok(*record)
}

/// What became of a job, for the client.
fn told(replaced: Replaced) -> Edited {
    let (job, outcome, remark) = match replaced {
        Replaced::Changed { job, remarks } => {
            let remark = (!remarks.is_empty()).then(|| remarks.join("; "));
            (job, ChangeOutcome::Changed, remark)
        }
        Replaced::Unchanged(job) => {
            let remark = Some("was so before: nothing is changed".to_owned());
            (job, ChangeOutcome::Unchanged, remark)
        }
    };
    Edited {
        changed: Changed {
            job,
            outcome,
            remark,
        },
        errors: Vec::new(),
    }
}

/// Why a job stays as it is. What was set is named as it was typed: with `--set`, or without.
fn refusal(job: Job, ErrorEnvelope { error, more }: ErrorEnvelope, of: SetOf) -> Edited {
    let typed = |text: String| match of {
        SetOf::Queued => text
            .strip_prefix("--set ")
            .map_or(text.clone(), str::to_owned),
        SetOf::Failed { .. } => text,
    };
    let errors = std::iter::once(error).chain(more);
    let errors: Vec<ErrorBody> = errors
        .map(|error| ErrorBody {
            message: typed(error.message),
            path: error.path.map(typed),
            ..error
        })
        .collect();
    let begin = format!("job {} ", job.id);
    let reasons = errors.iter().map(|error| {
        let hint = error.hint.as_ref().filter(|_| error.path.is_some());
        let hint = hint.map_or_else(String::new, |hint| format!(" ({hint})"));
        format!("{}{hint}", error.message)
    });
    let reasons = reasons.collect::<Vec<_>>().join("; ");
    let remark = match reasons.strip_prefix(&begin) {
        Some(own) => own.to_owned(),
        None => format!("stays as it is: {reasons}"),
    };
    Edited {
        changed: Changed {
            job: Box::new(job),
            outcome: ChangeOutcome::Refused,
            remark: Some(remark),
        },
        errors,
    }
}

impl From<NotReplaced> for ErrorEnvelope {
    fn from(refused: NotReplaced) -> Self {
        let code = match &refused {
            NotReplaced::Gone(_) => Code::NO_SUCH_JOB,
            NotReplaced::State(..) | NotReplaced::Circular(_) => Code::NOT_CHANGEABLE,
            NotReplaced::Meanwhile(_) => Code::CHANGED_MEANWHILE,
            NotReplaced::Same { .. } => Code::SAME_JOB,
        };
        ErrorBody::new(code, refused.to_string()).into()
    }
}
