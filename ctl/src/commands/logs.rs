//! `logs`: what was logged about a job, one event a line. With `--follow` it outlives the daemon, and prints no line twice.

use std::fmt::Write;

use framepack_ipc::{
    ErrorBody, Exit,
    client::{Client, ClientError},
    control::{LogsRequest, Request, Response, SelectRequest, Stream},
};
use framepack_jobs::{Code, JobId, Selector, Timestamp};
use serde_json::{Map, Value};

use crate::{
    cli::Logs,
    daemon::Daemon,
    deadline::Deadline,
    failure::Failure,
    output::{Format, Output, print_as_is, remark},
    reconnection::{Interruption, Reconnection},
    terminal::{Terminal, cut::escaped, style::Style, time},
};

/// What stands at the beginning of a line, so that it need not be repeated.
const LEADING: [&str; 4] = ["at", "level", "message", "job"];

pub(crate) fn run(arguments: Logs, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    let mut reader = Reader {
        daemon,
        output,
        job: arguments.job,
        follow: arguments.follow,
        printed: 0,
        reconnection: Reconnection::before(Deadline::NEVER),
    };
    loop {
        match reader.read() {
            Ok(()) => return Ok(Exit::Ok),
            Err(Interruption::Daemon(error)) if reader.follow => {
                reader.reconnection.lost(error, remark)?;
            }
            Err(Interruption::Daemon(error)) => return Err(error.into()),
            Err(Interruption::Failure(failure)) => return Err(failure),
        }
    }
}

/// Reads a job's log, and keeps where it is.
struct Reader<'a> {
    daemon: &'a Daemon,
    output: &'a Output,
    job: Selector,
    follow: bool,
    /// Lines; a log only grows.
    printed: usize,
    reconnection: Reconnection,
}

impl Reader<'_> {
    /// Prints what is logged until the daemon says that there is no more.
    fn read(&mut self) -> Result<(), Interruption> {
        let mut client = self.daemon.connect().map_err(Interruption::Daemon)?;
        let job = one_job(&mut client, self.job.clone())?;
        self.reconnection.answered(remark);
        // Later another one may be the last, or have this name.
        self.job = Selector::Id(job);
        if self.follow {
            // As long as the job takes.
            client.set_deadline(None);
        }
        let log = Stream::Log(LogsRequest {
            job,
            follow: self.follow,
        });
        let mut answer = client.call(&Request::Stream(log));
        let mut read = 0;
        loop {
            match answer.map_err(Interruption::Daemon)? {
                Response::Log { lines } => {
                    let known = self.printed.saturating_sub(read).min(lines.len());
                    read += lines.len();
                    self.print(&lines[known..]).map_err(Interruption::Failure)?;
                    self.printed = self.printed.max(read);
                }
                Response::End => return Ok(()),
                _ => return Err(Interruption::Daemon(ClientError::Unexpected)),
            }
            answer = client.receive();
        }
    }

    fn print(&self, lines: &[String]) -> Result<(), Failure> {
        match self.output.format {
            Format::Text => self.output.text(
                |terminal| {
                    lines
                        .iter()
                        .map(|line| for_people(line, terminal))
                        .collect()
                },
                || lines.iter().map(|line| in_words(line)).collect(),
            ),
            Format::Json | Format::Fields(_) => print_as_is(lines),
        }
    }
}

/// The last lines of a job's log, as the daemon has them.
pub(super) fn latest(
    client: &mut Client,
    job: JobId,
    most: usize,
) -> Result<Vec<String>, ClientError> {
    let follow = false;
    let log = Stream::Log(LogsRequest { job, follow });
    let mut answer = client.call(&Request::Stream(log))?;
    let mut latest = Vec::new();
    while let Response::Log { lines } = answer {
        latest.extend(lines);
        latest.drain(..latest.len().saturating_sub(most));
        answer = client.receive()?;
    }
    match answer {
        Response::End => Ok(latest),
        _ => Err(ClientError::Unexpected),
    }
}

fn one_job(client: &mut Client, selector: Selector) -> Result<JobId, Interruption> {
    let show = Request::Show(SelectRequest {
        jobs: vec![selector],
    });
    let jobs = client.jobs(&show).map_err(Interruption::Daemon)?;
    let [job] = jobs.as_slice() else {
        let message = format!("`logs` takes one job; {} match", jobs.len());
        let error = ErrorBody::new(Code::USAGE, message);
        return Err(Interruption::Failure(Failure::new(error)));
    };
    Ok(job.id)
}

/// `2026-11-23T12:00:00Z INFO started device=cpu`; a line in another format is left as it is.
pub(super) fn in_words(line: &str) -> String {
    let Ok(event) = serde_json::from_str::<Map<String, Value>>(line) else {
        return line.to_owned();
    };
    let level = text(&event, "level").to_ascii_uppercase();
    let (at, message) = (text(&event, "at"), text(&event, "message"));
    format!("{at} {level:5} {message}{}", others(&event))
}

/// `2026-11-23 13:00:00 INFO  started device=cpu`, in local time.
fn for_people(line: &str, terminal: &Terminal) -> String {
    let Ok(event) = serde_json::from_str::<Map<String, Value>>(line) else {
        return escaped(line);
    };
    let level = text(&event, "level").to_ascii_uppercase();
    let style = match level.as_str() {
        "ERROR" => Style::Bad,
        "WARN" => Style::Warning,
        "INFO" => Style::Good,
        _ => Style::Dim,
    };
    let at = text(&event, "at");
    let at = Timestamp::from_rfc3339(at).map_or_else(|| escaped(at), time::second);
    format!(
        "{} {} {}{}",
        terminal.paint(Style::Dim, &at),
        terminal.paint(style, &format!("{level:5}")),
        escaped(text(&event, "message")),
        terminal.paint(Style::Dim, &escaped(&others(&event)))
    )
}

fn text<'e>(event: &'e Map<String, Value>, key: &str) -> &'e str {
    event.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The keys that do not lead the line: ` device=cpu attempt=1`.
fn others(event: &Map<String, Value>) -> String {
    let mut words = String::new();
    for (key, value) in event
        .iter()
        .filter(|(key, _)| !LEADING.contains(&key.as_str()))
    {
        let written = match value {
            Value::String(text) => write!(words, " {key}={text}"),
            other => write!(words, " {key}={other}"),
        };
        written.expect("writing to a string cannot fail");
    }
    words
}
