//! `list`: all jobs, or some of them, in an order; once, or kept up to date.

mod order;
mod watch;

use framepack_ipc::{
    ErrorBody, Exit,
    control::{ListRequest, Request},
};
use framepack_jobs::{Code, Job, StateName, Timestamp, composed};

use crate::{
    cli::{List, Since},
    daemon::Daemon,
    ends,
    failure::Failure,
    output::{Format, Output, tab_separated},
    rows,
    terminal::{Terminal, style::Style},
    waiting::Waiting,
};

pub(crate) fn run(arguments: &List, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&ends::fields())?;
    if arguments.watch {
        if !output.can_be_watched() {
            let error = ErrorBody::new(Code::USAGE, "`list --watch` is for people at a terminal");
            let hint = "for programs: `framepackctl events -f`";
            return Err(Failure::new(error.hint(hint)));
        }
        return watch::run(arguments, daemon, output);
    }
    let jobs = jobs(arguments, daemon)?;
    match output.format {
        Format::Text => {
            let waiting = Waiting::of(&jobs, daemon)?;
            output.text(
                |terminal| for_people(&jobs, &waiting, terminal, output),
                || tab_separated(&rows::of_jobs(&jobs, &waiting)),
            )?;
        }
        Format::Json | Format::Fields(_) => {
            let records = ends::records(&jobs, daemon, output)?;
            output.records("JobList", &records, Vec::new())?;
        }
    }
    Ok(Exit::Ok)
}

/// The jobs that are meant, in their order. The daemon leaves out what it can, and what an earlier version does not is
/// left out here.
fn jobs(arguments: &List, daemon: &Daemon) -> Result<Vec<Job>, Failure> {
    let List {
        filter,
        group,
        since,
        sort,
        limit,
        ..
    } = arguments;
    let states = filter.iter().flat_map(|filter| filter.names());
    let mut states: Vec<StateName> = states.copied().collect();
    states.dedup();
    let request = ListRequest {
        states,
        group: group.as_deref().map(|group| composed(group).into_owned()),
        since: since.map(|Since(time)| time),
    };
    let mut jobs = daemon.jobs(&Request::List(request.clone()))?;
    jobs.retain(|job| {
        let mut filters = filter.iter();
        request.is_meant(job) && (filter.is_empty() || filters.any(|filter| filter.is_meant(job)))
    });
    order::sort(&mut jobs, *sort);
    jobs.truncate(limit.unwrap_or(usize::MAX));
    Ok(jobs)
}

fn for_people(
    jobs: &[Job],
    waiting: &Waiting,
    terminal: &Terminal,
    output: &Output,
) -> Vec<String> {
    if jobs.is_empty() {
        return vec![terminal.paint(Style::Dim, "no jobs")];
    }
    let table = rows::table_of_jobs(jobs, waiting, terminal, Timestamp::now());
    output.lines_of(&table)
}
