//! `preview`: what a job's video looks like so far.

use std::io;

use framepack_ipc::{
    ErrorBody,
    control::Response,
    preview::{PreviewKind, PreviewRequest},
};
use framepack_jobs::{Code, Job, StateName};
use tokio::task::spawn_blocking;

use super::{connection::Connection, service::Service, unanswered::Unanswered};

pub(super) async fn preview(
    service: &Service,
    request: PreviewRequest,
    connection: &mut Connection,
) -> Result<(), Unanswered> {
    let _long = connection.permit().long_message().await;
    let Some(job) = service.queue.show(request.job).await? else {
        let message = format!("no such job: {}", request.job);
        return Err(ErrorBody::new(Code::NO_SUCH_JOB, message).into());
    };
    let previews = service.previews.clone();
    let found = spawn_blocking(move || previews.read(request)).await;
    match found.map_err(io::Error::other)? {
        Some(preview) => Ok(connection.send(&Response::Preview(preview)).await?),
        None => Err(ErrorBody::new(Code::NO_PREVIEW, none(&job, request.kind)).into()),
    }
}

/// That there is no such picture, and when there will be one.
fn none(job: &Job, kind: PreviewKind) -> String {
    let (id, state) = (job.id, job.state.name());
    match kind {
        PreviewKind::Strip if !job.is(StateName::Done) => {
            format!("job {id} has no video: it is {state}")
        }
        PreviewKind::Latest if !job.is_finished() => {
            format!("job {id} has no picture yet: it is {state}")
        }
        _ => format!("job {id} is {state} and left no picture"),
    }
}
