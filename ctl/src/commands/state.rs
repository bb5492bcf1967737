//! `state`: the store's check and repair, export and import.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Write},
    path::Path,
};

use framepack_ipc::{
    ErrorBody, ErrorCode,
    client::ClientError,
    control::{Request, Response},
    state::{Imported, StateReport, StateRequest},
};
use serde_json::Value;

use crate::{
    cli::State,
    daemon::Daemon,
    exit::Exit,
    failure::Failure,
    output::{Format, Output, print_lines},
};

/// Records that are sent at a time, in bytes of their lines.
const BATCH_BYTES: usize = 1 << 20;

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
    let exit = match report.problems.as_slice() {
        [] => Exit::Ok,
        _ => Exit::StateDamaged,
    };
    match output.format {
        Format::Text => print_lines(&lines(&report))?,
        Format::Json | Format::Fields(_) => {
            output.records("StateReport", &[report], Vec::new())?;
        }
    }
    Ok(exit)
}

fn lines(report: &StateReport) -> Vec<String> {
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let mut lines = vec![
        format!("jobs       {} (change {})", report.jobs, report.seq),
        format!(
            "bytes      store {:.1} MiB, journal {:.1} MiB; {:.0} MiB are free, {:.0} MiB are needed",
            mib(report.store_bytes),
            mib(report.journal_bytes),
            mib(report.free_bytes),
            mib(report.needed_bytes)
        ),
    ];
    lines.extend(
        report
            .problems
            .iter()
            .map(|problem| format!("problem    {problem}")),
    );
    for note in &report.repairs {
        lines.push(format!("repaired   {} [{}]", note.message, note.code));
    }
    if report.problems.is_empty() {
        lines.push("sound".to_owned());
    }
    lines
}

fn export(path: &Path, daemon: &Daemon) -> Result<Exit, Failure> {
    let mut client = daemon.connect()?;
    let mut answer = client.call(&Request::State(StateRequest::Export))?;
    let file = File::create(path).map_err(|error| unwritable(path, &error))?;
    let mut file = BufWriter::new(file);
    let mut records = 0_u64;
    loop {
        match answer {
            Response::Record { record } => {
                writeln!(file, "{record}").map_err(|error| unwritable(path, &error))?;
                records += 1;
            }
            Response::End => break,
            _ => return Err(ClientError::Unexpected.into()),
        }
        answer = client.receive()?;
    }
    let synced = file.into_inner().map_err(io::IntoInnerError::into_error);
    synced
        .and_then(|file| file.sync_all())
        .map_err(|error| unwritable(path, &error))?;
    print_lines(&[format!("{records} jobs are in {}", path.display())])?;
    Ok(Exit::Ok)
}

fn import(path: &Path, daemon: &Daemon) -> Result<Exit, Failure> {
    let file = File::open(path).map_err(|error| unreadable(path, &error.to_string()))?;
    let mut client = daemon.connect()?;
    let (mut outcomes, mut batch, mut bytes) = (Vec::new(), Vec::new(), 0);
    let mut send = |records: Vec<Value>| -> Result<Vec<Imported>, Failure> {
        match client.call(&Request::State(StateRequest::Import { records }))? {
            Response::Imported { outcomes } => Ok(outcomes),
            _ => Err(ClientError::Unexpected.into()),
        }
    };
    for line in BufReader::new(file).lines() {
        let line = line.map_err(|error| unreadable(path, &error.to_string()))?;
        if line.trim().is_empty() {
            continue;
        }
        let record = serde_json::from_str(&line)
            .map_err(|error| unreadable(path, &format!("no export of jobs: {error}")))?;
        batch.push(record);
        bytes += line.len();
        if bytes > BATCH_BYTES {
            outcomes.extend(send(std::mem::take(&mut batch))?);
            bytes = 0;
        }
    }
    outcomes.extend(send(batch)?);
    told(&outcomes)
}

fn told(outcomes: &[Imported]) -> Result<Exit, Failure> {
    let count = |is: fn(&Imported) -> bool| outcomes.iter().filter(|outcome| is(outcome)).count();
    let added = count(|outcome| matches!(outcome, Imported::Added { .. }));
    let known = count(|outcome| matches!(outcome, Imported::Known { .. }));
    let mut lines = vec![format!(
        "{added} jobs were added, {known} were there already"
    )];
    let mut exit = Exit::Ok;
    for outcome in outcomes {
        if let Imported::Refused { message } = outcome {
            lines.push(format!("refused: {message}"));
            exit = Exit::Failure;
        }
    }
    print_lines(&lines)?;
    Ok(exit)
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let message = format!("writing {}: {error}", path.display());
    Failure::new(ErrorBody::new(ErrorCode::UnwritableFile, message))
}

fn unreadable(path: &Path, error: &str) -> Failure {
    let message = format!("reading {}: {error}", path.display());
    Failure::new(ErrorBody::new(ErrorCode::UnreadableFile, message))
}
