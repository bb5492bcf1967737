//! `plan`: the memory that a job would take, worked out by a worker, and the time, by what earlier jobs took.

use std::{path::PathBuf, time::Duration};

use framepack_ipc::{
    ErrorBody, ErrorEnvelope,
    control::{PlanRequest, PlanSubject, Response, SubmitRequest, WorkerState},
    plan::JobPlan,
    worker::PlanOutcome,
};
use framepack_jobs::{Code, JobId};

use super::{service::Service, submit::accept};
use crate::{disk::Disk, record::Record, remedy::with_remedy, worker::NoAnswer};

/// How long a worker may take: less than clients wait for an answer.
const PATIENCE: Duration = Duration::from_secs(25);

/// A copy of a start image that nobody needs afterwards.
struct TemporaryCopy {
    path: PathBuf,
    disk: Disk,
}

impl Drop for TemporaryCopy {
    fn drop(&mut self) {
        self.disk.remove_input(&self.path);
    }
}

pub(super) async fn plan(
    service: &Service,
    request: PlanRequest,
) -> Result<Response, ErrorEnvelope> {
    match request.subject {
        PlanSubject::Job(id) => plan_job(service, &record_of(service, id).await?).await,
        PlanSubject::File(file) => {
            let record = record_for(service, file).await?;
            let _lent = TemporaryCopy {
                path: record.private.input.clone(),
                disk: service.disk.clone(),
            };
            plan_job(service, &record).await
        }
    }
}

/// A job that has not ended.
async fn record_of(service: &Service, id: JobId) -> Result<Record, ErrorEnvelope> {
    let Some(record) = service.queue.record(id).await? else {
        let message = format!("no such job: {id}");
        return Err(ErrorBody::new(Code::NO_SUCH_JOB, message).into());
    };
    if record.job.is_finished() {
        let message = format!("job {id} is {}", record.job.state.name());
        return Err(ErrorBody::new(Code::JOB_ENDED, message).into());
    }
    Ok(*record)
}

/// The job that this file would be if it were submitted. Its image is the daemon's copy.
async fn record_for(service: &Service, file: SubmitRequest) -> Result<Record, ErrorEnvelope> {
    let submission = accept(service, file).await?;
    let (folder, stem) =
        service
            .renderer
            .output(&submission.spec, &submission.name, submission.seed);
    let output = folder.join(format!("{stem}.mp4"));
    // Jobs are counted from 1.
    Ok(submission.into_record(JobId(0), output))
}

/// What a worker plans, with what submitting the job warns of.
async fn plan_job(service: &Service, record: &Record) -> Result<Response, ErrorEnvelope> {
    let device = planning_device(service).await?;
    let request = service.renderer.request(record);
    match service.planners.plan(&device, request, PATIENCE).await {
        Ok(PlanOutcome::Plan(mut plan)) => {
            // Those of the submission also say who asks for it.
            plan.warnings
                .retain(|warning| !is_said(&record.job.warnings, warning));
            plan.warnings.extend(record.job.warnings.iter().cloned());
            let time = service.queue.predict(record.clone(), device).await?;
            Ok(Response::Planned(Box::new(JobPlan {
                memory: *plan,
                time: Some(time),
            })))
        }
        Ok(PlanOutcome::Refused(failure)) => {
            let model = record.job.rendered_model();
            let failure = with_remedy(&service.renderer.models, failure, model);
            Err(ErrorBody::from(failure).into())
        }
        Err(NoAnswer) => {
            let message = format!(
                "the worker for {device} did not answer within {} s, or died",
                PATIENCE.as_secs()
            );
            Err(ErrorBody::new(Code::WORKER_SILENT, message).into())
        }
    }
}

/// Whether others say already that this setting does nothing.
fn is_said(others: &[String], warning: &str) -> bool {
    const INACTIVE: &str = ": inactive: ";
    let key = warning.split_once(INACTIVE).map(|(key, _)| key);
    key.is_some_and(|key| {
        let said = format!("{key}{INACTIVE}");
        others.iter().any(|warning| warning.starts_with(&said))
    })
}

/// The device of a worker that is up, rather an idle one.
async fn planning_device(service: &Service) -> Result<String, ErrorEnvelope> {
    let workers = service.queue.workers().await?;
    let in_state = |state| workers.iter().find(|worker| worker.state == state);
    let worker = in_state(WorkerState::Idle).or_else(|| in_state(WorkerState::Busy));
    match worker {
        Some(worker) => Ok(worker.device.clone()),
        None => Err(ErrorBody::new(
            Code::NO_WORKER,
            "no worker is running that could plan the job",
        )
        .into()),
    }
}
