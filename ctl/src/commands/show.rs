//! `show`: everything about jobs.

use framepack_ipc::control::{Request, SelectRequest};
use framepack_jobs::Timestamp;

use framepack_ipc::Exit;

use crate::{
    cli::Jobs,
    daemon::Daemon,
    ends,
    failure::Failure,
    output::{Format, Output},
    rows,
    waiting::Waiting,
};

pub(crate) fn run(selected: Jobs, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&ends::fields())?;
    let request = Request::Show(SelectRequest {
        jobs: selected.jobs,
    });
    let jobs = daemon.jobs(&request)?;
    match output.format {
        Format::Text => {
            let waiting = Waiting::of(&jobs, daemon)?;
            output.text(
                |terminal| {
                    let now = Timestamp::now();
                    apart(
                        jobs.iter()
                            .map(|job| rows::details_for_people(job, &waiting, terminal, now)),
                    )
                },
                || apart(jobs.iter().map(|job| rows::details(job, &waiting))),
            )?;
        }
        Format::Json | Format::Fields(_) => {
            let records = ends::records(&jobs, daemon, output)?;
            output.records("JobList", &records, Vec::new())?;
        }
    }
    Ok(Exit::Ok)
}

/// The lines of each job, and an empty one between two jobs.
fn apart(jobs: impl Iterator<Item = Vec<String>>) -> Vec<String> {
    let jobs: Vec<String> = jobs.map(|lines| lines.join("\n")).collect();
    vec![jobs.join("\n\n")]
}
