//! One supervisor for each device: it keeps a worker process alive and carries jobs to it, one at a time.
//!
//! # Layout
//!
//! - `supervisor`: one device, from worker to worker and from job to job
//! - `wait`: a worker without a job; `run`: one job, from its assignment to its end; `verdict`: what its worker is good for then
//! - `launch`: a worker's command line; `process`: its process and pipes
//! - `watchdog`: how long a worker may be silent
//! - `idle`: which memory a worker without a job frees, and when
//! - `faults`: when a device is disabled; `switch`: how it is enabled again
//! - `start_fault`: why a worker does not start where the farm is at fault; `outage`: the wait until it is mended; `clue`:
//!   what a worker needs
//! - `questions`: questions to workers, beside jobs; `warmth`: orders for what a worker without a job holds in memory
//! - `inspection`: a look at submitted jobs, by a program of its own
//! - `devices`: which devices get a worker, and a supervisor; `known`: on which GPUs jobs were rendered
//! - `announced`: what each worker said of itself
//! - `vitals`: what the kernel says of a process

mod announced;
mod clue;
mod devices;
mod faults;
mod idle;
mod inspection;
mod known;
mod launch;
mod outage;
mod process;
mod questions;
mod run;
mod start_fault;
mod supervisor;
mod switch;
mod verdict;
mod vitals;
mod wait;
mod warmth;
mod watchdog;

pub(crate) use self::{
    announced::Announced,
    devices::{Circumstances, Ways, supervisors, wanted},
    inspection::Inspections,
    known::KnownGpus,
    questions::{NoAnswer, Planners},
    supervisor::SupervisorContext,
    switch::Switches,
    warmth::{NotDone, Warm, Warmth, Wish},
};
