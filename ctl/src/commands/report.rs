//! `report`: what the farm did since a time, as text, JSON or an HTML page.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

use framepack_ipc::{
    ErrorBody, Exit,
    client::ClientError,
    control::{ListRequest, Request, Response},
};
use framepack_jobs::{Code, Job, StateName, Timestamp};

use crate::{
    cli::{Report, Since},
    daemon::Daemon,
    failure::Failure,
    output::{Format, Output, print_lines, remark},
    report::{self, Night, Page, Prompts},
};

pub(crate) fn run(arguments: &Report, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&Job::FIELDS)?;
    let night = night(arguments, daemon)?;
    match (&arguments.html, &output.format) {
        (Some(file), _) => write_page(file, &night, arguments, daemon)?,
        (None, Format::Text) => print_lines(&report::lines(&night))?,
        (None, Format::Json | Format::Fields(_)) => json(&night, output)?,
    }
    Ok(Exit::Ok)
}

/// The jobs that ended since then, and the queue as it is now.
fn night(arguments: &Report, daemon: &Daemon) -> Result<Night, Failure> {
    let until = Timestamp::now();
    let Since(since) = arguments.since;
    let ended = StateName::ALL
        .into_iter()
        .filter(|state| state.is_finished());
    let request = Request::List(ListRequest {
        states: ended.collect(),
        since: Some(since),
        ..ListRequest::default()
    });
    let jobs = daemon.jobs(&request)?;
    let Response::Queue(queue) = daemon.ask(&Request::Queue)? else {
        return Err(ClientError::Unexpected.into());
    };
    Ok(Night::new(since, until, jobs, queue))
}

fn json(night: &Night, output: &Output) -> Result<(), Failure> {
    let totals = serde_json::to_value(night.totals()).map_err(io::Error::from)?;
    let totals = totals.as_object().cloned().unwrap_or_default();
    output.records_beside("Report", &night.ended(), Vec::new(), &totals)
}

fn write_page(
    file: &Path,
    night: &Night,
    arguments: &Report,
    daemon: &Daemon,
) -> Result<(), Failure> {
    let page = report::page(&Page {
        night,
        strips: &report::strips(&night.done, daemon)?,
        prompts: if arguments.no_prompts {
            Prompts::Hidden
        } else {
            Prompts::Shown
        },
    });
    if file == Path::new("-") {
        io::stdout().lock().write_all(page.as_bytes())?;
        return Ok(());
    }
    fs::write(file, page).map_err(|err| {
        let message = format!("writing {}: {err}", file.display());
        Failure::new(ErrorBody::new(Code::UNWRITABLE_FILE, message))
    })?;
    remark(&format!("wrote {}", file.display()));
    Ok(())
}
