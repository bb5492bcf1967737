//! A job in a daemon that is there anyway.

use framepack_ipc::{Exit, control::SubmitRequest};

use super::session::{Session, client};
use crate::{
    daemon::Daemon,
    deadline::Deadline,
    delivery::{How, Target},
    failure::Failure,
    follow::Ended,
    output::remark,
};

/// Follows the job, and puts a copy of its video where it is wanted.
pub(super) fn run(
    session: &Session<'_>,
    daemon: &Daemon,
    request: &SubmitRequest,
    target: Option<&Target>,
) -> Result<Exit, Failure> {
    let submitted = session.submit(daemon, request)?;
    let (id, client) = (submitted.job.id, client(daemon));
    match session.follow_shared(daemon, Deadline::NEVER, submitted.job)? {
        Ended::Finished(mut job) => {
            if let (Some(target), Some(result)) = (target, job.state.result_mut()) {
                let put = target.put(&result.video, How::Copy);
                result.video = put.map_err(Failure::new)?;
                job.output.clone_from(&result.video);
            }
            session.tell(&job, submitted.remarks)
        }
        Ended::Left(job) => {
            let video = job.output.display();
            let instead = match target {
                Some(target) => format!(" and not {target}"),
                None => String::new(),
            };
            remark(&format!(
                "job {id} goes on; its video will be {video}{instead}; to follow it: {client} wait {id}"
            ));
            Ok(Exit::Interrupted)
        }
        Ended::Stopped | Ended::GivenUp => Ok(Exit::Interrupted),
    }
}
