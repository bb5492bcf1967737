//! `plan`: the memory and the time that a job would take.

use framepack_ipc::{
    Exit,
    client::ClientError,
    control::{PlanRequest, PlanSubject, Request, Response},
    plan::JobPlan,
};

use super::submit::read;
use crate::{
    cli::{Plan, Planned},
    daemon::Daemon,
    failure::Failure,
    memory,
    output::{Format, Output},
    terminal::{
        Terminal,
        style::Style,
        table::{Cell, labelled},
    },
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
        Format::Text => output.text(
            |terminal| for_people(&plan, terminal),
            || memory::lines(facts(&plan)),
        )?,
        Format::Json | Format::Fields(_) => output.records("MemoryPlan", &[*plan], Vec::new())?,
    }
    Ok(Exit::Ok)
}

/// What there is to say, each with its label.
fn facts(plan: &JobPlan) -> Vec<(&'static str, String)> {
    let time = plan.time.iter().map(|time| ("time", time.to_string()));
    memory::facts(&plan.memory)
        .into_iter()
        .chain(time)
        .collect()
}

fn for_people(plan: &JobPlan, terminal: &Terminal) -> Vec<String> {
    let facts = facts(plan).into_iter();
    let cells = facts.map(|(label, value)| {
        let style = match label {
            "warning" => Style::Warning,
            _ => Style::Plain,
        };
        (label, Cell::new(value, style))
    });
    labelled(&cells.collect::<Vec<_>>(), terminal)
}
