//! `set`: keys of jobs that are there.

use framepack_ipc::{
    Exit,
    control::Request,
    edit::{SetOf, SetRequest},
};
use framepack_jobs::{Job, Selector};

use super::{edited, many::Named};
use crate::{cli::Set, daemon::Daemon, failure::Failure, output::Output};

pub(crate) fn run(arguments: &Set, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&Job::FIELDS)?;
    let (selectors, set) = arguments.split().map_err(Failure::new)?;
    let request = |jobs| SetRequest {
        jobs,
        set: set.clone(),
        of: SetOf::Queued,
    };
    run_named(Named::new(selectors), request, daemon, output)
}

/// Sets keys of jobs, each by itself.
pub(super) fn run_named(
    mut named: Named,
    request: impl Fn(Vec<Selector>) -> SetRequest,
    daemon: &Daemon,
    output: &Output,
) -> Result<Exit, Failure> {
    let answer = named.ask(daemon, |jobs| Request::Set(request(jobs)))?;
    edited::tell(edited::jobs(answer)?, &named, output)
}
