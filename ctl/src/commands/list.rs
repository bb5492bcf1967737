//! `list`: all jobs, or those in some states.

use framepack_ipc::{
    client::ClientError,
    control::{ListRequest, Request, Response},
};
use framepack_jobs::Job;

use crate::{cli::List, daemon::Daemon, exit::Exit, failure::Failure, output::Output};

pub(crate) fn run(arguments: List, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&Job::FIELDS)?;
    let request = Request::List(ListRequest {
        states: arguments.state,
    });
    let Response::Jobs { jobs } = daemon.ask(&request)? else {
        return Err(ClientError::Unexpected.into());
    };
    output.jobs(&jobs, Vec::new())?;
    Ok(Exit::Ok)
}
