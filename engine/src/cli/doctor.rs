//! `doctor`: whether a device does what the engine builds on.

use std::io::{self, Write as _};

use anyhow::bail;
use framepack_engine::{
    device::{self, Check, Outcome},
    video::Player,
};
use serde_json::json;

use super::options::DeviceName;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// `cpu` or `cuda:N`
    #[arg(long, default_value = "cpu")]
    device: DeviceName,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Prints a line for each check as it ends, or all of them as JSON. Fails if one of them did.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let _no_grad = tch::no_grad_guard();
        let device = self.device.open()?;
        let mut stdout = io::stdout().lock();
        let ffmpeg = Player::default().version()?;
        let mut checks = Vec::new();
        for check in device::check(device) {
            if !self.json {
                writeln!(stdout, "{}", line(&check))?;
            }
            checks.push(check);
        }
        if self.json {
            let report = json!({
                "device": device::label(device),
                "model": device::model_name(device),
                "ffmpeg": ffmpeg,
                "checks": checks,
            });
            writeln!(stdout, "{report}")?;
        } else {
            writeln!(stdout, "{:<28}{}", "ffmpeg", said_of(ffmpeg.as_deref()))?;
        }
        verdict(&checks)
    }
}

fn line(Check { name, outcome }: &Check) -> String {
    let outcome = match outcome {
        Outcome::Ok { detail } => format!("ok ({detail})"),
        Outcome::Failed { reason } => format!("failed: {reason}"),
        Outcome::NotOnThisDevice => "not on this device".into(),
    };
    format!("{name:<28}{outcome}")
}

/// Nothing fails without it, but a job's report can say less.
fn said_of(ffmpeg: Option<&str>) -> String {
    match ffmpeg {
        Some(version) => format!("ok ({version})"),
        None => "warning: not in PATH; finished videos will not be decoded to verify them".into(),
    }
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
