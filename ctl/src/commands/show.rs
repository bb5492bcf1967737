//! `show`: everything about jobs.

use framepack_ipc::control::{Request, SelectRequest};
use framepack_jobs::Job;

use framepack_ipc::Exit;

use crate::{
    cli::Jobs,
    daemon::Daemon,
    failure::Failure,
    output::{Format, Output, print_lines},
    rows,
    waiting::Waiting,
};

pub(crate) fn run(selected: Jobs, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&Job::FIELDS)?;
    let request = Request::Show(SelectRequest {
        jobs: selected.jobs,
    });
    let jobs = daemon.jobs(&request)?;
    match output.format {
        Format::Text => {
            let waiting = Waiting::of(&jobs, daemon)?;
            let details: Vec<String> = jobs
                .iter()
                .map(|job| rows::details(job, &waiting).join("\n"))
                .collect();
            print_lines(&[details.join("\n\n")])?;
        }
        Format::Json | Format::Fields(_) => output.records("JobList", &jobs, Vec::new())?,
    }
    Ok(Exit::Ok)
}
