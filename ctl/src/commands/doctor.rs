//! `doctor`: whether everything is there that rendering takes, and what to do where it is not.

use framepack_ipc::{
    Exit,
    check::{Check, CheckState},
    client::ClientError,
    control::{Request, Response},
};

use crate::{
    daemon::Daemon,
    failure::Failure,
    output::{Format, Output, print_lines},
};

const FIELDS: [&str; 4] = ["name", "state", "message", "fix"];

pub(crate) fn run(daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&FIELDS)?;
    let Response::Checked { checks } = daemon.ask(&Request::Doctor)? else {
        return Err(ClientError::Unexpected.into());
    };
    match output.format {
        Format::Text => print_lines(&checks.iter().flat_map(in_words).collect::<Vec<_>>())?,
        Format::Json | Format::Fields(_) => output.records("CheckList", &checks, Vec::new())?,
    }
    let is_degraded = checks.iter().any(|check| check.state == CheckState::Failed);
    Ok(if is_degraded {
        Exit::Degraded
    } else {
        Exit::Ok
    })
}

fn in_words(check: &Check) -> Vec<String> {
    let state = match check.state {
        CheckState::Ok => "ok",
        CheckState::Warning => "warning",
        CheckState::Failed => "FAILED",
        CheckState::Unknown => "unknown",
    };
    let mut lines = vec![format!("{state:7} {}: {}", check.name, check.message)];
    if !check.fix.is_empty() {
        lines.push(format!("        fix: {}", check.fix));
    }
    lines
}
