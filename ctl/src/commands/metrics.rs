//! `metrics`: the daemon's figures as OpenMetrics text.

use std::io::{self, Write};

use framepack_ipc::{
    Exit,
    client::ClientError,
    control::{Request, Response},
};

use crate::{daemon::Daemon, failure::Failure};

pub(crate) fn run(daemon: &Daemon) -> Result<Exit, Failure> {
    let Response::Metrics { text } = daemon.ask(&Request::Metrics)? else {
        return Err(ClientError::Unexpected.into());
    };
    io::stdout().write_all(text.as_bytes())?;
    Ok(Exit::Ok)
}
