//! When each job of the queue will begin and end, by what earlier jobs took and by the order of the schedule.
//!
//! - `duration`: how long a job will take on a device; `running`: how long one will still take that runs
//! - `waits`: from when on a job that waits may begin, or why nobody knows
//! - `simulation`: the devices take turns until no job is left: a pure function of these
//! - `told`: what the queue's view says of it

mod duration;
mod running;
mod simulation;
mod told;
mod waits;

pub(super) use self::{
    duration::{predicted, temperature},
    told::tell,
};
