//! `gpu`: disabled devices are enabled again.

use framepack_ipc::{
    Exit,
    client::ClientError,
    control::{DeviceRequest, EnableOutcome, Request, Response},
};

use crate::{
    cli::Gpu,
    daemon::Daemon,
    failure::Failure,
    output::{Format, Output},
    terminal::{cut::escaped, style::Style},
};

const FIELDS: [&str; 2] = ["device", "outcome"];

pub(crate) fn run(action: Gpu, daemon: &Daemon, output: &Output) -> Result<Exit, Failure> {
    let Gpu::Enable { device } = action;
    output.check_fields(&FIELDS)?;
    let Response::Enabled(enabling) =
        daemon.ask(&Request::EnableDevice(DeviceRequest { device }))?
    else {
        return Err(ClientError::Unexpected.into());
    };
    let what = match enabling.outcome {
        EnableOutcome::Enabled => "is enabled again",
        EnableOutcome::NotFaulty => "was not disabled",
        EnableOutcome::Unknown => "was answered in a way this version does not know; see `ping`",
    };
    match output.format {
        Format::Text => output.text(
            |terminal| {
                let style = match enabling.outcome {
                    EnableOutcome::Enabled => Style::Good,
                    EnableOutcome::NotFaulty => Style::Plain,
                    EnableOutcome::Unknown => Style::Warning,
                };
                let device = terminal.paint(Style::Strong, &escaped(&enabling.device));
                vec![format!("{device} {}", terminal.paint(style, what))]
            },
            || vec![format!("{} {what}", enabling.device)],
        )?,
        Format::Json | Format::Fields(_) => {
            output.records("DeviceEnabled", &[enabling], Vec::new())?;
        }
    }
    Ok(Exit::Ok)
}
