//! Arguments of `submit`, and of `plan`, which takes what `submit` takes.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use framepack_jobs::JobId;

use super::duration::duration;

#[derive(Debug, Args)]
pub(crate) struct Submit {
    /// The job file; `-` reads standard input, with paths relative to the working directory
    pub(crate) file: PathBuf,

    /// Set a key of the job, such as `steps=32`, in the place of the file's; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,

    /// Wait until the job has finished
    #[arg(long, group = "waits")]
    pub(crate) wait: bool,

    /// Follow the job until it has finished, as `run` does: progress, and why it waits
    #[arg(long, group = "waits")]
    pub(crate) follow: bool,

    /// Stop waiting after this long, such as 90s, 20m or 9h; the job keeps running
    #[arg(long, value_name = "DURATION", requires = "waits", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// A job file (`-` reads standard input), or the number of a job that has not ended
    #[arg(value_name = "FILE|JOB")]
    subject: PathBuf,

    /// Set a key of the job, such as `steps=32`, in the place of the file's; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

/// What `plan` is about.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Planned {
    File(PathBuf),
    Job(JobId),
}

impl Plan {
    /// A number is a job; a file of such a name is `./7`.
    pub(crate) fn subject(&self) -> Planned {
        let number = self.subject.to_str().and_then(|text| text.parse().ok());
        number.map_or_else(
            || Planned::File(self.subject.clone()),
            |number| Planned::Job(JobId(number)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_job_to_plan_and_all_else_a_file() {
        let subject = |text: &str| {
            Plan {
                subject: text.into(),
                set: Vec::new(),
            }
            .subject()
        };
        assert_eq!(subject("7"), Planned::Job(JobId(7)));
        for file in ["./7", "7.yaml", "-"] {
            assert_eq!(subject(file), Planned::File(file.into()));
        }
    }
}
