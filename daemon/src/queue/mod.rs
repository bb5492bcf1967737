//! The one owner of all jobs. Everybody else sends it messages through a [`QueueHandle`].
//!
//! It has four parts, each the only one to touch its state, and no disk but the store:
//!
//! - `jobs`: the table of records, its index and the store
//! - `runs`: which worker has which job
//! - `outbox`: what waits for the store's next sync
//! - `schedule`: which job is next, and what is paused
//!
//! `core` holds them together, beside what was learned of how long jobs take ([`crate::history`]), by which `forecast` says
//! when they begin and end; `submit`, `start`, `ending`, `change`, `replace`, `remove`, `view` and `glance` are what messages
//! ask of them; `farm` is what is told beside jobs; `actor`
//! is the task that takes the messages, `answer` says which of those is asked; `handle` sends
//! them, after a `search` of the disks where one needs that.

mod actor;
mod answer;
mod change;
mod core;
mod ending;
mod farm;
mod forecast;
mod glance;
mod handle;
mod jobs;
mod keep;
mod message;
mod order;
mod outbox;
mod remove;
mod replace;
mod replacement;
mod runs;
mod schedule;
mod search;
mod start;
mod submission;
mod submit;
mod view;
mod windows;

pub(crate) use self::{
    actor::{Actor, QueueConfig},
    glance::{Glance, Recent},
    handle::{QueueHandle, Stopping},
    jobs::{exported, is_kept},
    order::{NotForAll, Order, Pausing},
    remove::{NotRemoved, Removal},
    replacement::{NotReplaced, Replaced, Replacement, is_replaceable},
    runs::{Assignment, Control, Death, DeathKind, Ending, WorkerReport},
    submission::{Submission, SubmitError, Submitted},
    view::Summary,
};
