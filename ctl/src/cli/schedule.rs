//! Arguments of the commands that say when jobs run: `pause` and `priority`.

use clap::{Args, ValueEnum};
use framepack_ipc::queue::Boundary;
use framepack_jobs::Selector;

use super::jobs::Target;

#[derive(Debug, Args)]
pub(crate) struct Pause {
    #[command(flatten)]
    pub(crate) of: Target,

    /// Where running jobs stop
    #[arg(long, value_name = "BOUNDARY", default_value = "section")]
    pub(crate) at: At,
}

/// `--at` of `pause`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum At {
    /// Before the next step; the worker keeps its memory
    Step,
    /// At the end of the section; the worker is free for other jobs
    Section,
    /// Not at all: running jobs run to completion
    Job,
}

impl From<At> for Boundary {
    fn from(at: At) -> Self {
        match at {
            At::Step => Self::Step,
            At::Section => Self::Section,
            At::Job => Self::Job,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Priority {
    // `selectors` has its help.
    #[arg(required = true, value_name = "JOB", allow_negative_numbers = true)]
    pub(crate) jobs: Vec<Selector>,

    /// -1000 to 1000; higher runs first
    #[arg(value_parser = clap::value_parser!(i32).range(-1000..=1000), allow_negative_numbers = true)]
    pub(crate) priority: i32,
}
