//! `state`: the store's check and repair, export and import.

use std::path::Path;

use framepack_ipc::{
    Exit,
    client::ClientError,
    control::{Request, Response, Stream},
    export::{Export, Import},
    state::{Imported, StateReport, StateRequest},
};

use crate::{
    cli::State,
    daemon::Daemon,
    failure::Failure,
    output::{Format, Output, print_lines},
    terminal::{
        Terminal, size,
        style::Style,
        symbol::Symbol,
        table::{Cell, labelled},
    },
};

const FIELDS: [&str; 8] = [
    "jobs",
    "seq",
    "store_bytes",
    "journal_bytes",
    "free_bytes",
    "needed_bytes",
    "problems",
    "repairs",
];

pub(crate) fn run(action: State, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    match action {
        State::Check => report(StateRequest::Check, daemon, output),
        State::Repair => report(StateRequest::Repair, daemon, output),
        State::Acknowledge => report(StateRequest::Acknowledge, daemon, output),
        State::Export { file } => export(&file, daemon),
        State::Import { file } => import(&file, daemon),
    }
}

fn report(request: StateRequest, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&FIELDS)?;
    let Response::State(report) = daemon.ask(&Request::State(request))? else {
        return Err(ClientError::Unexpected.into());
    };
    let exit = report.exit();
    match output.format {
        Format::Text => output.text(|terminal| for_people(&report, terminal), || report.lines())?,
        Format::Json | Format::Fields(_) => {
            output.records("StateReport", &[report], Vec::new())?;
        }
    }
    Ok(exit)
}

fn for_people(report: &StateReport, terminal: &Terminal) -> Vec<String> {
    let is_sound = report.problems.is_empty();
    let (symbol, style, word) = if is_sound {
        (Symbol::Done, Style::Good, "sound")
    } else {
        (Symbol::Failed, Style::Bad, "damaged")
    };
    let word = format!("{} {word}", terminal.symbols.text(symbol));
    let free = format!(
        "{} on its disk; {} needed",
        size::bytes(report.free_bytes),
        size::bytes(report.needed_bytes)
    );
    let mut facts = vec![
        ("store", Cell::new(word, style)),
        (
            "jobs",
            format!("{} (change {})", report.jobs, report.seq).into(),
        ),
        ("store size", size::bytes(report.store_bytes).into()),
        ("journal size", size::bytes(report.journal_bytes).into()),
        ("free", free.into()),
    ];
    let problems = report.problems.iter();
    facts.extend(problems.map(|problem| ("problem", Cell::new(problem, Style::Bad))));
    let repairs = report.repairs.iter();
    let repairs = repairs.map(|note| note.code.behind(&note.message));
    facts.extend(repairs.map(|repair| ("repaired", Cell::new(repair, Style::Warning))));
    labelled(&facts, terminal)
}

fn export(path: &Path, daemon: &Daemon) -> Result<Exit, Failure> {
    let mut client = daemon.connect()?;
    let mut answer = client.call(&Request::Stream(Stream::Records))?;
    let mut file = Export::create(path).map_err(Failure::new)?;
    loop {
        match answer {
            Response::Record { record } => file.write(&record).map_err(Failure::new)?,
            Response::End => break,
            _ => return Err(ClientError::Unexpected.into()),
        }
        answer = client.receive()?;
    }
    print_lines(&[file.finish().map_err(Failure::new)?])?;
    Ok(Exit::Ok)
}

fn import(path: &Path, daemon: &Daemon) -> Result<Exit, Failure> {
    let mut file = Import::open(path).map_err(Failure::new)?;
    let mut client = daemon.connect()?;
    let mut all = Vec::new();
    loop {
        let records = file.batch().map_err(Failure::new)?;
        if records.is_empty() {
            break;
        }
        match client.call(&Request::State(StateRequest::Import { records }))? {
            Response::Imported { outcomes } => all.extend(outcomes),
            _ => return Err(ClientError::Unexpected.into()),
        }
    }
    let (lines, exit) = Imported::summary(&all);
    print_lines(&lines)?;
    Ok(exit)
}
