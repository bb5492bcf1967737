//! Arguments of `logs`.

use clap::Args;
use framepack_jobs::Selector;

#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// A job's number, or its name
    #[arg(value_name = "JOB")]
    pub(crate) job: Selector,

    /// Keep printing until the job has finished
    #[arg(long, short)]
    pub(crate) follow: bool,
}
