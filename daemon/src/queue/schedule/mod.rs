//! Which job is next, and why.
//!
//! [`SchedulingContext::judge`] says of one job whether it may begin, and a `Lineup` puts those that may into their order:
//! pure functions of the jobs, the time and what the devices have ready. Nothing is sorted or searched twice: a lineup of
//! n jobs is made in O(n log n), each turn of it in O(log n).
//!
//! - `state`: the owner of pauses, of what devices have ready, and of what the next look depends on
//! - `context`, `dependencies`: whether a job may begin; `lineup`: in which order; `sweep`: which jobs never will
//! - `local_time`: the time of the day, and when windows open
//! - `silence`: jobs that wait for a share that does not answer; `outage`: jobs that wait for their models

mod context;
mod dependencies;
mod lineup;
mod local_time;
mod outage;
mod silence;
mod state;
mod sweep;

pub(super) use self::{
    context::{Eligibility, SchedulingContext, Wait},
    lineup::{Lineup, Turn, TurnReason, Warm},
    local_time::LocalTime,
    state::Schedule,
};

#[cfg(test)]
mod tests;
