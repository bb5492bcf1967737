//! `retry`: failed jobs again, with other values of keys where `--set` gives some.

use framepack_ipc::{
    Exit,
    edit::{SetOf, SetRequest},
    queue::Change,
};
use framepack_jobs::Job;

use super::{
    change,
    many::{Loss, Named},
    set,
};
use crate::{cli::Retry, daemon::Daemon, failure::Failure, output::Output};

pub(crate) fn run(arguments: Retry, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&Job::FIELDS)?;
    let from_start = arguments.from_start;
    let mut named = Named::new(arguments.jobs.jobs);
    if from_start {
        named = named.agreed(Loss::Sections, arguments.yes.consent(), daemon)?;
    }
    if arguments.set.is_empty() {
        return change::run_named(named, Change::Retry { from_start }, daemon, output);
    }
    let request = |jobs| SetRequest {
        jobs,
        set: arguments.set.clone(),
        of: SetOf::Failed { from_start },
    };
    set::run_named(named, request, daemon, output)
}
