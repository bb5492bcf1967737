//! `plan`: the memory and the time that a job would take.

use framepack_ipc::{
    Exit,
    client::ClientError,
    control::{PlanRequest, PlanSubject, Request, Response},
};

use super::submit::read;
use crate::{
    cli::{Plan, Planned},
    daemon::Daemon,
    failure::Failure,
    memory,
    output::{Format, Output, print_lines},
};

const FIELDS: [&str; 10] = [
    "device",
    "transformer",
    "text_encoder",
    "vae_tiles",
    "vae",
    "evicted_bytes",
    "phases",
    "peak_bytes",
    "warnings",
    "time",
];

pub(crate) fn run(arguments: &Plan, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&FIELDS)?;
    let subject = match arguments.subject() {
        Planned::File(file) => {
            PlanSubject::File(read(&file, &arguments.set).map_err(Failure::new)?)
        }
        Planned::Job(id) => PlanSubject::Job(id),
    };
    let Response::Planned(plan) = daemon.ask(&Request::Plan(PlanRequest { subject }))? else {
        return Err(ClientError::Unexpected.into());
    };
    match output.format {
        Format::Text => {
            let mut lines = memory::plan(&plan.memory);
            lines.extend(
                plan.time
                    .iter()
                    .map(|time| format!("{:<11} {time}", "time")),
            );
            print_lines(&lines)?;
        }
        Format::Json | Format::Fields(_) => output.records("MemoryPlan", &[*plan], Vec::new())?,
    }
    Ok(Exit::Ok)
}
