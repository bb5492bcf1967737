//! The command line of `wait`.

use std::time::Duration;

use clap::Args;
use framepack_jobs::{Selector, StateName};

use super::duration::duration;

#[derive(Debug, Args)]
pub(crate) struct Wait {
    #[command(flatten)]
    of: Waited,

    /// Stop as soon as one of the jobs has finished
    #[arg(long, conflicts_with = "idle")]
    pub(crate) any: bool,

    /// Also say which jobs start and end, and how many have finished
    #[arg(long, conflicts_with = "idle")]
    pub(crate) progress: bool,

    /// Stop waiting after this long, such as 90s, 20m or 9h; the jobs keep running
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
}

/// What is waited for.
#[derive(Debug, Args)]
#[group(id = "of", required = true, multiple = false)]
struct Waited {
    /// A job's number, a range (3-9), @queued, @running, @last, a name and so on, as for `show`
    #[arg(value_name = "JOB")]
    jobs: Vec<Selector>,

    /// All jobs that are queued or running now
    #[arg(long)]
    all: bool,

    /// Until nothing runs and nothing is ready to start; held and paused jobs do not count
    #[arg(long)]
    idle: bool,
}

/// What is waited for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Awaited {
    Jobs(Vec<Selector>),
    Idle,
}

impl Wait {
    pub(crate) fn awaited(&self) -> Awaited {
        let unfinished = [StateName::Queued, StateName::Running];
        match &self.of {
            Waited { idle: true, .. } => Awaited::Idle,
            Waited { all: true, .. } => Awaited::Jobs(unfinished.map(Selector::State).to_vec()),
            Waited { jobs, .. } => Awaited::Jobs(jobs.clone()),
        }
    }
}
