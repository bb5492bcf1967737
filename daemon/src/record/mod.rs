//! A job as the daemon keeps it, its report for people and programs, and random ids.

mod id;
mod report;
mod stored;

pub(crate) use self::{
    id::random_id,
    report::{Outcome, Report},
    stored::{Began, Kept, Private, Record},
};
