//! `list`: all jobs, or those in some states.

use framepack_ipc::control::{ListRequest, Request};
use framepack_jobs::Job;

use framepack_ipc::Exit;

use crate::{
    cli::List,
    daemon::Daemon,
    failure::Failure,
    output::{Format, Output},
    rows,
    waiting::Waiting,
};

pub(crate) fn run(arguments: List, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&Job::FIELDS)?;
    let request = Request::List(ListRequest {
        states: arguments.state,
    });
    let jobs = daemon.jobs(&request)?;
    match output.format {
        Format::Text => output.table(&rows::of_jobs(&jobs, &Waiting::of(&jobs, daemon)?))?,
        Format::Json | Format::Fields(_) => output.records("JobList", &jobs, Vec::new())?,
    }
    Ok(Exit::Ok)
}
