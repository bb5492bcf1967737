//! `set` and `retry --set`: keys of jobs that are there.

use framepack_ipc::{
    Exit,
    control::Request,
    edit::{SetOf, SetRequest},
};
use framepack_jobs::Job;

use super::{
    edited,
    many::{Loss, Named},
};
use crate::{
    cli::{Retry, Set},
    daemon::Daemon,
    failure::Failure,
    output::Output,
};

pub(crate) fn run(arguments: &Set, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&Job::FIELDS)?;
    let (selectors, set) = arguments.split().map_err(Failure::new)?;
    let request = |jobs| SetRequest {
        jobs,
        set: set.clone(),
        of: SetOf::Queued,
    };
    change(Named::new(selectors), request, daemon, output)
}

/// `retry --set`
pub(crate) fn retry(arguments: Retry, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&Job::FIELDS)?;
    let from_start = arguments.from_start;
    let mut named = Named::new(arguments.jobs.jobs);
    if from_start {
        named = named.agreed(Loss::Sections, arguments.yes.consent(), daemon)?;
    }
    let request = |jobs| SetRequest {
        jobs,
        set: arguments.set.clone(),
        of: SetOf::Failed { from_start },
    };
    change(named, request, daemon, output)
}

fn change(
    mut named: Named,
    request: impl Fn(Vec<framepack_jobs::Selector>) -> SetRequest,
    daemon: &Daemon,
    output: &Output,
) -> Result<Exit, Failure> {
    let answer = named.ask(daemon, |jobs| Request::Set(request(jobs)))?;
    edited::tell(edited::jobs(answer)?, &named, output)
}
