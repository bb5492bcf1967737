//! A job in a daemon that is there anyway.

use framepack_ipc::{Exit, control::SubmitRequest};
use framepack_jobs::JobState;

use super::session::{Session, Submitted, client};
use crate::{
    daemon::Daemon,
    delivery::{How, Target},
    event::Ownership,
    failure::Failure,
    follow::Ended,
    output::remark,
};

pub(super) fn run(
    session: &Session<'_>,
    daemon: &Daemon,
    request: &SubmitRequest,
    target: Option<&Target>,
) -> Result<Exit, Failure> {
    let submitted = session.submit(daemon, request)?;
    follow(session, daemon, submitted, target)
}

/// Follows the job, and puts a copy of its video where it is wanted.
pub(super) fn follow(
    session: &Session<'_>,
    daemon: &Daemon,
    submitted: Submitted,
    target: Option<&Target>,
) -> Result<Exit, Failure> {
    match session.follow(daemon, Ownership::Shared, submitted.job)? {
        Ended::Finished(mut job) => {
            if let (Some(target), JobState::Done { result, .. }) = (target, &mut job.state) {
                let put = target.put(&result.video, How::Copy);
                result.video = put.map_err(Failure::new)?;
                job.output.clone_from(&result.video);
            }
            session.tell(&job, submitted.remarks)
        }
        Ended::Left(job) => {
            let (id, video) = (job.id, job.output.display());
            let instead = match target {
                Some(target) => format!(" and not {target}"),
                None => String::new(),
            };
            remark(&format!(
                "job {id} goes on; its video will be {video}{instead}; to follow it: {} wait {id}",
                client(daemon)
            ));
            Ok(Exit::Interrupted)
        }
        Ended::GivenUp => Ok(Exit::Interrupted),
    }
}
