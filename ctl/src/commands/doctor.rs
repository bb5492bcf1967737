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
    output::{Format, Output},
    terminal::{Terminal, cut::padded, style::Style, symbol::Symbol, wrap::wrapped},
};

const FIELDS: [&str; 4] = ["name", "state", "message", "fix"];

/// Room for a symbol and a state.
const STATE_WIDTH: usize = 11;

pub(crate) fn run(daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    output.check_fields(&FIELDS)?;
    let Response::Checked { checks } = daemon.ask(&Request::Doctor)? else {
        return Err(ClientError::Unexpected.into());
    };
    match output.format {
        Format::Text => output.text(
            |terminal| {
                let checks = checks.iter();
                checks
                    .flat_map(|check| for_people(check, terminal))
                    .collect()
            },
            || checks.iter().flat_map(in_words).collect(),
        )?,
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
    let state = word(check.state);
    let mut lines = vec![format!("{state:7} {}: {}", check.name, check.message)];
    if !check.fix.is_empty() {
        lines.push(format!("        fix: {}", check.fix));
    }
    lines
}

/// State, name and what was found, with what to do about it below; long lines are broken.
fn for_people(check: &Check, terminal: &Terminal) -> Vec<String> {
    let (symbol, style) = match check.state {
        CheckState::Ok => (Symbol::Done, Style::Good),
        CheckState::Warning => (Symbol::Warning, Style::Warning),
        CheckState::Failed => (Symbol::Failed, Style::Bad),
        CheckState::Unknown => (Symbol::Bullet, Style::Plain),
    };
    let state = format!("{} {}", terminal.symbols.text(symbol), word(check.state));
    let state = terminal.paint(style, &padded(&state, STATE_WIDTH));
    let indent = " ".repeat(STATE_WIDTH);
    let room = terminal.width.saturating_sub(STATE_WIDTH);
    let found = wrapped(&format!("{}: {}", check.name, check.message), room);
    let fix = Some(&check.fix).filter(|fix| !fix.is_empty());
    let fix = fix.map(|fix| wrapped(&format!("fix: {fix}"), room));
    let mut lines = Vec::new();
    for (i, line) in found.iter().enumerate() {
        let before = if i == 0 { &state } else { &indent };
        lines.push(format!("{before}{line}"));
    }
    for line in fix.unwrap_or_default() {
        lines.push(format!("{indent}{}", terminal.paint(Style::Hint, &line)));
    }
    lines
}

fn word(state: CheckState) -> &'static str {
    match state {
        CheckState::Ok => "ok",
        CheckState::Warning => "warning",
        CheckState::Failed => "FAILED",
        CheckState::Unknown => "unknown",
    }
}
