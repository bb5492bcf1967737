//! `ping`: whether the daemon is there, and what it does.

use framepack_ipc::{
    Exit,
    client::ClientError,
    control::{Request, Response},
};

use crate::{
    daemon::Daemon,
    failure::Failure,
    output::{Format, Output},
    rows,
};

const FIELDS: [&str; 9] = [
    "version",
    "pid",
    "uptime_secs",
    "queued",
    "running",
    "workers",
    "paused",
    "degraded",
    "outages",
];

pub(crate) fn run(daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&FIELDS)?;
    let Response::Pong(status) = daemon.ask(&Request::Ping)? else {
        return Err(ClientError::Unexpected.into());
    };
    match output.format {
        Format::Text => output.text(
            |terminal| {
                let (mut lines, workers) =
                    rows::status_for_people(&status, terminal, output.wording());
                lines.extend(output.lines_of(&workers));
                lines
            },
            || rows::status(&status),
        )?,
        Format::Json | Format::Fields(_) => {
            output.records("DaemonStatus", &[status], Vec::new())?;
        }
    }
    Ok(Exit::Ok)
}
