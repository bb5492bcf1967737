//! Jobs that a command was about, printed in whatever form they are to have.

use framepack_jobs::{Job, Timestamp};

use super::{jobs::of_jobs, told::told};
use crate::{
    failure::Failure,
    output::{Format, Output, tab_separated},
    waiting::Waiting,
};

impl Output {
    /// Jobs that a command was about, one a line, or as a `JobList` with what [`Output::warn`] said elsewhere.
    pub(crate) fn jobs(&self, jobs: &[Job], warnings: Vec<String>) -> Result<(), Failure> {
        match self.format {
            Format::Text => self.text(
                |terminal| {
                    let now = Timestamp::now();
                    let jobs = jobs.iter();
                    jobs.flat_map(|job| told(job, terminal, now)).collect()
                },
                || tab_separated(&of_jobs(jobs, &Waiting::default())),
            ),
            Format::Json | Format::Fields(_) => self.records("JobList", jobs, warnings),
        }
    }
}
