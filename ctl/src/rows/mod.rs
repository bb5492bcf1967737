//! What people and scripts see of jobs, of the queue and of the daemon.
//!
//! Scripts get the same plain rows whatever the terminal; people get tables and sentences made for theirs.

mod course;
mod daemon;
mod details;
#[cfg(test)]
pub(crate) mod example;
mod jobs;
mod print;
mod progress;
mod queue;
mod rendering;
mod told;
mod video;

pub(crate) use course::course;
pub(crate) use daemon::{outage, status, status_for_people, temperature, worker_state};
pub(crate) use details::{details, details_for_people};
pub(crate) use jobs::{of_jobs, table_of_jobs};
pub(crate) use progress::{describe, finished_sections};
pub(crate) use queue::{drains, of_queue, table_of_queue};
pub(crate) use told::{named, told};
pub(crate) use video::video;
