//! `status`: the farm, or some of its jobs.

use clap::Args;
use framepack_jobs::Selector;

#[derive(Debug, Default, Args)]
pub(crate) struct Status {
    /// Jobs, as for `show`, each with where it is and its last log lines; without any, the whole farm
    #[arg(value_name = "JOB")]
    pub(crate) jobs: Vec<Selector>,
}
