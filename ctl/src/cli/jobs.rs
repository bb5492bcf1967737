//! The jobs that a command is about, as a user names them.

use clap::Args;
use framepack_ipc::queue::Scope;
use framepack_jobs::{Selector, composed};

#[derive(Debug, Args)]
pub(crate) struct Jobs {
    /// A job's number, a range (3-9), @queued, @running, @done, @failed, @cancelled, @expired, @last, @failed:FP3012 or @failed:oom (failed with that code or class), group:NAME, or a name (name:12 if the name is a number)
    #[arg(required = true, value_name = "JOB")]
    pub(crate) jobs: Vec<Selector>,
}

impl Jobs {
    pub(crate) fn scope(self) -> Scope {
        Scope::Jobs(self.jobs)
    }
}

/// Jobs, a group, or all.
#[derive(Debug, Args)]
#[group(id = "of", required = true, multiple = false)]
pub(crate) struct Target {
    // `selectors` has its help.
    #[arg(value_name = "JOB")]
    jobs: Vec<Selector>,

    /// All jobs of a group, including future ones
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,

    /// All jobs, including future ones
    #[arg(long)]
    all: bool,
}

impl Target {
    pub(crate) fn scope(self) -> Scope {
        match self.group {
            Some(group) => Scope::Group(composed(&group).into_owned()),
            None if self.all => Scope::All,
            None => Scope::Jobs(self.jobs),
        }
    }
}
