//! One line of the journal.
//!
//! ```json
//! {"seq":17,"at":"2026-11-23T22:00:00.000000Z","event":"put","job":4,"record":{"job":{…},"private":{…}}}
//! {"seq":18,"at":"2026-11-23T22:00:00.000000Z","event":"remove","job":4}
//! ```

use framepack_ipc::event::Event;
use framepack_jobs::{JobId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::record::Record;

/// A durable change of a job. Lines of one commit have the same time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Counts the changes of all jobs, from 1 on; the record in the database has the same number.
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    pub(crate) event: EntryEvent,
    pub(crate) job: JobId,
    /// The whole record, for [`EntryEvent::Put`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) record: Option<Box<Record>>,
    /// What it is told as, in the log of events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) events: Vec<Event>,
}

/// What a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EntryEvent {
    /// The job is new, or its record is another one.
    Put,
    /// The job was taken back: nobody was told of it.
    Remove,
}

impl Entry {
    /// The entry as its line, newline included.
    pub(super) fn line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).expect("a record is plain data with string keys");
        line.push(b'\n');
        line
    }

    /// The entry of a line without its newline; `None` for what no daemon wrote so.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let entry: Self = serde_json::from_slice(line).ok()?;
        let is_whole = match (entry.event, &entry.record) {
            (EntryEvent::Put, Some(record)) => record.job.id == entry.job,
            (EntryEvent::Remove, None) => true,
            _ => false,
        };
        is_whole.then_some(entry)
    }
}
