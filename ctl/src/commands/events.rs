//! `events`: what happened to jobs, devices and the farm, one JSON object a line.
//!
//! Followed, it outlives the daemon: after a restart it goes on behind the last event that it has.

use framepack_ipc::{
    Exit,
    client::ClientError,
    control::{Request, Response, SelectRequest, Stream},
    event::{EventsRequest, Since},
};
use framepack_jobs::Selector;
use serde_json::Value;

use crate::{
    cli::Events,
    daemon::Daemon,
    deadline::Deadline,
    failure::Failure,
    fields,
    output::{Format, Output, print_as_is, print_lines, remark},
    reconnection::{Interruption, Reconnection},
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
pub(crate) fn run(arguments: Events, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&FIELDS)?;
    let mut reader = Reader {
        daemon,
        output,
        request: EventsRequest {
            jobs: numbers(arguments.jobs, daemon)?,
            since: arguments.since,
            // What there is to follow begins at the end of what there is.
            follow: arguments.follow || arguments.cursor,
            types: arguments.types,
        },
        reconnection: Reconnection::before(Deadline::NEVER),
    };
    if arguments.cursor {
        return reader.end();
    }
    loop {
        match reader.read() {
            Ok(()) => return Ok(Exit::Ok),
            Err(Interruption::Daemon(error)) if reader.request.follow => {
                reader.reconnection.lost(error, remark)?;
            }
            Err(Interruption::Daemon(error)) => return Err(error.into()),
            Err(Interruption::Failure(failure)) => return Err(failure),
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

/// Reads events, and keeps where it is.
struct Reader<'a> {
    daemon: &'a Daemon,
    output: &'a Output,
    request: EventsRequest,
    reconnection: Reconnection,
}

impl Reader<'_> {
    /// Prints where the log ends.
    fn end(&self) -> Result<Exit, Failure> {
        let request = Request::Stream(Stream::EventLog(self.request.clone()));
        match self.daemon.ask(&request)? {
            Response::Events { cursor, .. } => print_lines(&[cursor])?,
            _ => return Err(ClientError::Unexpected.into()),
        }
        Ok(Exit::Ok)
    }

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
                    self.reconnection.answered(remark);
                    self.print(&lines).map_err(Interruption::Failure)?;
                    self.request.since = Some(Since::Cursor(cursor));
                }
                Response::End => return Ok(()),
                _ => return Err(Interruption::Daemon(ClientError::Unexpected)),
            }
            answer = client.receive();
        }
    }

    fn print(&self, lines: &[String]) -> Result<(), Failure> {
        let Format::Fields(wanted) = &self.output.format else {
            return print_as_is(lines);
        };
        let picked = lines.iter().map(|line| {
            let event: Value = serde_json::from_str(line)?;
            Ok(fields::pick(&event, wanted).to_string())
        });
        let picked: Result<Vec<String>, serde_json::Error> = picked.collect();
        print_as_is(&picked.map_err(std::io::Error::from)?)
    }
}
