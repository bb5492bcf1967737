//! Commands for the farm as a whole: `warmup`, `unload`, `drain`.

use std::time::Duration;

use clap::{Args, ValueEnum};
use framepack_ipc::{queue::Boundary, worker::Temperature};

use super::duration::duration;

#[derive(Debug, Args)]
pub(crate) struct WarmUp {
    /// The profile of the jobs to come. Default: the farm's
    #[arg(value_name = "PROFILE")]
    pub(crate) profile: Option<String>,

    /// Set a key of the jobs to come, such as `model=f1`; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,

    /// Only this device, as `ping` names it: cuda:N or cpu
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Unload {
    /// How much to give up
    #[arg(value_name = "LEVEL", default_value = "cold")]
    pub(crate) to: Level,

    /// Give up no more than it takes until the device has N GB (of 2^30 bytes) free
    #[arg(long, value_name = "N", value_parser = gigabytes)]
    pub(crate) until_free_gb: Option<u64>,

    /// Only this device, as `ping` names it: cuda:N or cpu
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Option<String>,
}

/// How much memory is given up.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Level {
    /// The device's memory; the copies in host memory stay
    Warm,
    /// The host's memory, too
    Cold,
}

impl From<Level> for Temperature {
    fn from(level: Level) -> Self {
        match level {
            Level::Warm => Self::Warm,
            Level::Cold => Self::Cold,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Drain {
    /// What becomes of running jobs
    #[arg(long, value_name = "BOUNDARY", default_value = "job")]
    pub(crate) at: DrainAt,

    /// Stop waiting after this long, such as 90s, 20m or 9h; still no other job starts
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
}

/// `--at` of `drain`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum DrainAt {
    /// They run to completion
    Job,
    /// They are suspended at the end of their section, and resume from there
    Section,
}

impl From<DrainAt> for Boundary {
    fn from(at: DrainAt) -> Self {
        match at {
            DrainAt::Job => Self::Job,
            DrainAt::Section => Self::Section,
        }
    }
}

/// A number of gigabytes, in bytes.
fn gigabytes(text: &str) -> Result<u64, String> {
    let number = text.parse::<f64>().ok();
    let number = number.filter(|number| (0.0..=1e6).contains(number));
    let bytes = number.map(|number| (number * f64::from(1 << 30)).round() as u64);
    bytes.ok_or_else(|| "expected a number of gigabytes, such as 12 or 7.5".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gigabytes_are_numbers_of_2_to_the_30_bytes() {
        assert_eq!(gigabytes("7.5"), Ok((15 << 30) / 2));
        assert_eq!(gigabytes("0"), Ok(0));
        for text in ["", "-1", "12GB", "NaN", "1e7"] {
            assert!(gigabytes(text).is_err(), "{text}");
        }
    }
}
