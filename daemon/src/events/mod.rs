//! The log of events: what happened to jobs, devices and the farm, for those who follow it.
//!
//! ```text
//! state/events/000007.ndjson    a header, then lines that [`framepack_ipc::event::Event`] describes
//! state/events/000008.ndjson    the last file grows; the oldest ones are removed
//! ```
//!
//! It is a log of its own and not the store's journal. An event is the difference between two records, and the journal
//! forgets the earlier ones when it is compacted; its records have prompts, which are not for everybody who may look; and
//! devices are not in it at all. What happens to a job is part of its change all the same: the journal's entry of the
//! change has its events, so that both are durable with one sync. They are copied to the log after that sync, in the same
//! thread, and without another one. What a crash keeps from being copied is copied when the store is opened, and the
//! journal is not compacted before what it has was copied and synced. Each event's place is made of the number of its
//! change, so that it gets the same one however often it is copied: a reader misses none and meets none twice.
//!
//! What happens to devices and the farm is in no record. It is synced in the log before anybody is told, and its place is
//! behind the last change.
//!
//! A reader has a position and reads files; whoever writes does not know of it, and does not wait for it.
//!
//! ```text
//! jobs        what a change of a job is told as
//! log         the log, open for writing; the store owns it
//! position    where an event is, and its cursor
//! read        the log as readers see it
//! segment     what is at the beginning of each file
//! ```

mod jobs;
mod log;
mod position;
mod read;
mod segment;

pub(crate) use self::{
    jobs::ToldJobs,
    log::{EventLimits, EventLog},
    read::{EventsView, Line, Reader, Unread},
};
