//! `rm`: jobs that have ended are forgotten, with all that they have beside their videos and reports.

use std::{collections::HashSet, time::Duration};

use framepack_ipc::{
    ErrorBody, ErrorEnvelope,
    control::Response,
    edit::{Edited, RemoveRequest, Videos},
    queue::{ChangeOutcome, Changed},
};
use framepack_jobs::{Code, Job};
use tokio::{sync::oneshot, time::timeout};

use super::{selected::selected_by, service::Service};
use crate::{
    folder::{Event, HeldQuestion},
    queue::{NotRemoved, Removal, Stopping},
    record::Record,
};

/// How long the jobs folder may take to put away the files of jobs that have just ended.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn remove(
    service: &Service,
    request: RemoveRequest,
) -> Result<Response, ErrorEnvelope> {
    let mut records = Vec::new();
    for job in selected_by(service, request.jobs).await? {
        // One that is gone by now was removed by somebody else.
        if let Some(record) = service.queue.record(job.id).await? {
            records.push(*record);
        }
    }
    let held = held(service, &records).await?;
    let mut jobs = Vec::new();
    for record in records {
        let is_held = record.private.claim.as_ref();
        jobs.push(if is_held.is_some_and(|claim| held.contains(claim)) {
            stays(
                record.job,
                Code::NOT_CHANGEABLE,
                "has a job file that is not put away yet: try again once the jobs folder can be used",
            )
        } else {
            remove_job(service, record, request.videos).await?
        });
    }
    Ok(Response::Edited { jobs })
}

/// The claims of jobs that have ended whose files the jobs folder has yet to put away: without its job such a file would
/// become one again.
async fn held(service: &Service, records: &[Record]) -> Result<HashSet<String>, ErrorEnvelope> {
    let ended = records.iter().filter(|record| record.job.is_finished());
    let claims: Vec<String> = ended
        .filter_map(|record| record.private.claim.clone())
        .collect();
    if claims.is_empty() {
        return Ok(HashSet::new());
    }
    let (reply, answer) = oneshot::channel();
    let question = HeldQuestion {
        claims: claims.clone(),
        reply,
    };
    let asked = service.folder_events.send(Event::Held(question));
    asked.map_err(|_| Stopping)?;
    match timeout(PATIENCE, answer).await {
        Ok(Ok(held)) => Ok(held),
        Ok(Err(_)) => Err(Stopping.into()),
        // It may have any of them.
        Err(_) => Ok(claims.into_iter().collect()),
    }
}

/// Forgets a job. Its video goes first: a crash in between leaves the job, which can be removed again.
async fn remove_job(
    service: &Service,
    record: Record,
    videos: Videos,
) -> Result<Edited, ErrorEnvelope> {
    let id = record.job.id;
    if videos == Videos::Remove
        && let Some(result) = record.job.state.result()
    {
        if let Some(refused) = service.queue.needed(id).await? {
            return Ok(told(record.job, Err(refused)));
        }
        if let Err(error) = service.disk.remove_video(&result.video).await {
            let why = format!(
                "stays: its video {} can't be removed: {error}",
                result.video.display()
            );
            return Ok(stays(record.job, Code::VIDEO_NOT_REMOVED, &why));
        }
    }
    let mut removals = service.queue.remove(vec![id]).await?;
    let removal = removals.pop().unwrap_or(Err(NotRemoved::Gone(id)));
    Ok(told(record.job, removal))
}

fn told(job: Job, removal: Removal) -> Edited {
    match removal {
        Ok(record) => Edited {
            changed: Changed {
                job: Box::new(record.job),
                outcome: ChangeOutcome::Changed,
                remark: None,
            },
            errors: Vec::new(),
        },
        Err(refused) => {
            let code = match &refused {
                NotRemoved::Gone(_) => Code::NO_SUCH_JOB,
                NotRemoved::NotEnded { .. } | NotRemoved::Needed(_) => Code::NOT_CHANGEABLE,
            };
            stays(job, code, &refused.to_string())
        }
    }
}

/// A job that is not removed.
fn stays(job: Job, code: Code, why: &str) -> Edited {
    let message = format!("job {} {why}", job.id);
    Edited {
        changed: Changed {
            job: Box::new(job),
            outcome: ChangeOutcome::Refused,
            remark: Some(why.to_owned()),
        },
        errors: vec![ErrorBody::new(code, message)],
    }
}
