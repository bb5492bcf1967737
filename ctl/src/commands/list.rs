//! `list`: all jobs, or those in some states.

use framepack_ipc::control::{ListRequest, Request};
use framepack_jobs::Job;

use framepack_ipc::Exit;

use crate::{cli::List, daemon::Daemon, failure::Failure, output::Output};

pub(crate) fn run(arguments: List, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&Job::FIELDS)?;
    let request = Request::List(ListRequest {
        states: arguments.state,
    });
    let jobs = daemon.jobs(&request)?;
    output.jobs(&jobs, Vec::new())?;
    Ok(Exit::Ok)
}
