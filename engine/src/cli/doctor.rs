//! `doctor`: whether a device does what the engine builds on, and whether the programs work that it calls.

use std::{
    env,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::bail;
use framepack_engine::{
    check_kernels,
    device::{self, Check, Outcome},
    video::{Defect, Player},
};
use framepack_ipc::check::{Check as ProgramCheck, CheckState};
use serde_json::json;

use super::options::DeviceName;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// `cpu` or `cuda:N`
    #[arg(long, default_value = "cpu")]
    device: DeviceName,
    /// Where videos are written, which ffmpeg must see; by default, the folder for temporary files
    #[arg(long, value_name = "FOLDER")]
    outputs: Option<PathBuf>,
    /// Check the programs alone, and no device
    #[arg(long)]
    programs: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Prints a line for each check as it ends, or all of them as JSON. Fails if one of them did.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let outputs = self.outputs.clone().unwrap_or_else(env::temp_dir);
        let version = Player::default().version(&outputs);
        let programs = [ffmpeg(&version, &outputs)];
        let mut stdout = io::stdout().lock();
        if self.programs {
            if self.json {
                writeln!(stdout, "{}", json!({ "programs": programs }))?;
            } else {
                write_programs(&mut stdout, &programs)?;
            }
            return Ok(());
        }
        let _no_grad = tch::no_grad_guard();
        let device = self.device.open()?;
        let mut checks = Vec::new();
        for check in device::check(device).chain(check_kernels(device)) {
            if !self.json {
                writeln!(stdout, "{}", line(&check))?;
            }
            checks.push(check);
        }
        if self.json {
            let report = json!({
                "device": device::label(device),
                "model": device::model_name(device),
                "ffmpeg": version.ok(),
                "programs": programs,
                "checks": checks,
            });
            writeln!(stdout, "{report}")?;
        } else {
            write_programs(&mut stdout, &programs)?;
        }
        verdict(&checks)
    }
}

/// Nothing fails without it, but a job's report can say less.
fn ffmpeg(version: &Result<String, Defect>, outputs: &Path) -> ProgramCheck {
    const NOT_DECODED: &str = "finished videos will not be decoded to verify them";
    let warning = |message, fix| ProgramCheck::new(CheckState::Warning, "ffmpeg", message, fix);
    match version {
        Ok(version) => ProgramCheck::ok("ffmpeg", version),
        Err(Defect::Missing) => warning(
            format!("not in PATH; {NOT_DECODED}"),
            "install the ffmpeg package".to_owned(),
        ),
        Err(defect @ Defect::Fault(_)) => warning(
            format!("{defect}; {NOT_DECODED}"),
            format!(
                "run `ffmpeg -version` as the daemon's user; install an ffmpeg that decodes H.264 and may read {}",
                outputs.display()
            ),
        ),
    }
}

fn write_programs(out: &mut impl io::Write, programs: &[ProgramCheck]) -> io::Result<()> {
    for ProgramCheck {
        name,
        state,
        message,
        fix,
    } in programs
    {
        match state {
            CheckState::Ok => writeln!(out, "{name:<28}ok ({message})")?,
            _ => writeln!(out, "{name:<28}warning: {message}\n{:<28}{fix}", "")?,
        }
    }
    Ok(())
}

fn line(Check { name, outcome }: &Check) -> String {
    let outcome = match outcome {
        Outcome::Ok { detail } => format!("ok ({detail})"),
        Outcome::Failed { reason } => format!("failed: {reason}"),
        Outcome::NotOnThisDevice => "not on this device".into(),
    };
    format!("{name:<28}{outcome}")
}

fn verdict(checks: &[Check]) -> anyhow::Result<()> {
    let failed: Vec<_> = checks
        .iter()
        .filter(|check| matches!(check.outcome, Outcome::Failed { .. }))
        .map(|check| check.name)
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    bail!("the device failed: {}", failed.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(outcome: Outcome) -> Check {
        Check {
            name: "empty cache",
            outcome,
        }
    }

    #[test]
    fn only_a_failed_check_is_a_failure() {
        let ok = || {
            check(Outcome::Ok {
                detail: "1 MiB returned".into(),
            })
        };
        let failed = check(Outcome::Failed {
            reason: "0 bytes came back".into(),
        });
        assert!(line(&failed).ends_with("failed: 0 bytes came back"));
        verdict(&[ok(), check(Outcome::NotOnThisDevice)]).unwrap();
        let error = verdict(&[ok(), failed]).unwrap_err().to_string();
        assert!(error.contains("empty cache"), "{error}");
    }
}
