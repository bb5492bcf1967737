//! Runs: which worker has which job, from its preparation to its end.
//!
//! - `roster`: the owner of running jobs and idle workers
//! - `run`: what queue and supervisors tell each other; `report`: what a worker's words change
//! - `verdict`, `retry`: the job's next state after a run, by how it ended

mod report;
mod retry;
mod roster;
mod run;
mod verdict;

pub(crate) use self::run::{Assignment, Control, Death, DeathKind, Ending, WorkerReport};
pub(super) use self::{
    report::{Persistence, note as note_report},
    roster::Runs,
    run::IdleWorker,
    verdict::{Circumstances, after_run, again_or_failed, lost, reach},
};
