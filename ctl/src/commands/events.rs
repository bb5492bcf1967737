//! `events`: what happened to jobs, devices and the farm, one JSON object a line.
//!
//! Followed, it outlives the daemon: after a restart it goes on behind the last event that it has.

use std::{thread, time::Duration};

use framepack_ipc::{
    Exit,
    client::ClientError,
    control::{Request, Response, SelectRequest, Stream},
    event::{EventsRequest, Since},
};
use framepack_jobs::{Class, Selector};
use serde_json::Value;

use crate::{
    cli::Events,
    daemon::Daemon,
    failure::Failure,
    fields,
    output::{Format, Output, print_lines, remark},
};

/// Keys that an event can have.
const FIELDS: [&str; 20] = [
    "cursor",
    "at",
    "type",
    "event",
    "job",
    "name",
    "state",
    "group",
    "device",
    "attempt",
    "phase",
    "sections_done",
    "sections",
    "step",
    "steps",
    "video",
    "until",
    "code",
    "message",
    "hint",
];
/// Before a daemon that is gone is looked for again: at first, and at most.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(2)];

pub(crate) fn run(arguments: Events, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&FIELDS)?;
    let mut reader = Reader {
        daemon,
        output,
        request: EventsRequest {
            jobs: numbers(arguments.jobs, daemon)?,
            since: arguments.since,
            follow: arguments.follow,
            types: arguments.types,
        },
        is_lost: false,
    };
    let mut pause = PAUSES[0];
    loop {
        match reader.read() {
            Ok(()) => return Ok(Exit::Ok),
            Err(Interruption::Daemon(error)) if reader.goes_on_after(&error) => {
                if !std::mem::replace(&mut reader.is_lost, true) {
                    pause = PAUSES[0];
                    remark(&format!("{error}; waiting for the daemon to come back"));
                }
                thread::sleep(pause);
                pause = PAUSES[1].min(2 * pause);
            }
            Err(Interruption::Daemon(error)) => return Err(error.into()),
            Err(Interruption::Output(failure)) => return Err(failure),
        }
    }
}

/// The jobs that are meant now, by number: later another one may be the last, or have failed.
fn numbers(jobs: Vec<Selector>, daemon: &Daemon) -> Result<Vec<Selector>, Failure> {
    if jobs.is_empty() {
        return Ok(jobs);
    }
    let jobs = daemon.jobs(&Request::Show(SelectRequest { jobs }))?;
    Ok(jobs.iter().map(|job| Selector::Id(job.id)).collect())
}

/// Why there are no more events for now.
enum Interruption {
    Daemon(ClientError),
    Output(Failure),
}

/// Reads events, and keeps where it is.
struct Reader<'a> {
    daemon: &'a Daemon,
    output: &'a Output,
    request: EventsRequest,
    /// The daemon was there, and is not.
    is_lost: bool,
}

impl Reader<'_> {
    /// Prints events until the daemon says that there are no more.
    fn read(&mut self) -> Result<(), Interruption> {
        let mut client = self.daemon.connect().map_err(Interruption::Daemon)?;
        let request = Request::Stream(Stream::EventLog(self.request.clone()));
        let mut answer = client.call(&request);
        if self.request.follow {
            client.set_deadline(None);
        }
        loop {
            match answer.map_err(Interruption::Daemon)? {
                Response::Events { lines, cursor } => {
                    if std::mem::take(&mut self.is_lost) {
                        remark("connected to the daemon again");
                    }
                    self.print(lines).map_err(Interruption::Output)?;
                    self.request.since = Some(Since::Cursor(cursor));
                }
                Response::End => return Ok(()),
                _ => return Err(Interruption::Daemon(ClientError::Unexpected)),
            }
            answer = client.receive();
        }
    }

    /// Whether the same request may have an answer later: it was answered before, and the daemon is not there, or not
    /// ready.
    fn goes_on_after(&self, error: &ClientError) -> bool {
        let is_followed =
            self.request.follow && matches!(self.request.since, Some(Since::Cursor(_)));
        is_followed
            && match error {
                ClientError::Refused(refusal) => matches!(
                    refusal.error.class,
                    Class::Unreachable | Class::Resource | Class::State
                ),
                ClientError::Unreachable { .. }
                | ClientError::Broken(_)
                | ClientError::Closed
                | ClientError::TimedOut => true,
                ClientError::Codec(_) | ClientError::Unexpected => false,
            }
    }

    fn print(&self, lines: Vec<String>) -> Result<(), Failure> {
        let Format::Fields(wanted) = &self.output.format else {
            return print_lines(&lines);
        };
        let picked = lines.iter().map(|line| {
            let event: Value = serde_json::from_str(line)?;
            Ok(fields::pick(&event, wanted).to_string())
        });
        let picked: Result<Vec<String>, serde_json::Error> = picked.collect();
        print_lines(&picked.map_err(std::io::Error::from)?)
    }
}
