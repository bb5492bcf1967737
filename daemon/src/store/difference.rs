//! What database and journal do not have in common, and what of it may be put right without being asked.

use std::collections::BTreeMap;

use framepack_jobs::{JobId, Timestamp};

use super::{
    database::{Loaded, Stored},
    error::StoreError,
    journal::{Contents, Entry, EntryEvent},
};

/// How much may be given up for the store to open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// Nothing: what can't be rebuilt keeps it closed.
    Careful,
    /// What can't be rebuilt is set aside; a user has asked for it.
    Forced,
    /// As careful, after the database failed: missing changes are expected then.
    Again,
}

/// What database and journal do not have in common.
#[derive(Debug, Default)]
pub(super) struct Difference {
    /// Changes that the database lacks.
    pub(super) replay: Vec<Entry>,
    /// Jobs that the journal should have.
    pub(super) journal_lacks: u64,
    pub(super) repairs: Vec<String>,
}

impl Difference {
    pub(super) fn between(
        loaded: &Loaded,
        contents: &Contents,
        opening: Opening,
    ) -> Result<Self, StoreError> {
        let mut difference = Self::default();
        let stored: BTreeMap<JobId, &Stored> = loaded
            .records
            .iter()
            .map(|stored| (stored.record.job.id, stored))
            .collect();
        let has = loaded.seq.unwrap_or_default();
        let damaged_lines = contents.damaged_lines;
        if has < contents.seq && damaged_lines > 0 && opening != Opening::Forced {
            return Err(StoreError::BothDamaged { damaged_lines });
        }
        let mut lost = contents.seq_before.saturating_sub(has);
        for entry in contents.latest.values() {
            let is_missing = match (entry.event, stored.get(&entry.job)) {
                (_, Some(stored)) => stored.seq < entry.seq,
                (EntryEvent::Put, None) => true,
                (EntryEvent::Remove, None) => false,
            };
            if is_missing {
                // What it says that it has.
                lost += u64::from(entry.seq <= has);
                difference.replay.push(entry.clone());
            }
        }
        // A crash between the two halves of a commit leaves the last one to the journal.
        if lost > 0 && loaded.seq.is_some() && opening != Opening::Again {
            difference.repairs.push(format!(
                "the store lacked {lost} changes, which were restored from the journal"
            ));
        }
        for (job, error) in &loaded.unreadable {
            difference.replace_unreadable(*job, error, contents, opening)?;
        }
        for (job, stored) in &stored {
            let is_kept = contents.latest.contains_key(job) || stored.record.job.is_finished();
            if !is_kept || stored.seq > contents.seq {
                difference.journal_lacks += 1;
            }
        }
        Ok(difference)
    }

    /// A record that can't be read: the journal's is among the replayed ones, or a user gives it up.
    fn replace_unreadable(
        &mut self,
        job: JobId,
        error: &str,
        contents: &Contents,
        opening: Opening,
    ) -> Result<(), StoreError> {
        let is_known = contents.latest.contains_key(&job);
        if !is_known && opening != Opening::Forced {
            let error = error.to_owned();
            return Err(StoreError::Record { job, error });
        }
        if !is_known {
            self.replay.push(Entry {
                seq: contents.seq + 1,
                at: Timestamp::now(),
                event: EntryEvent::Remove,
                job,
                record: None,
                events: Vec::new(),
            });
        }
        let what = if is_known {
            "restored from the journal"
        } else {
            "discarded"
        };
        self.repairs.push(format!(
            "the record of job {job} could not be read ({error}) and was {what}"
        ));
        Ok(())
    }
}

/// What database and journal do not have in common, in words.
pub(super) fn in_words(loaded: &Loaded, contents: &Contents) -> Vec<String> {
    let unreadable = loaded
        .unreadable
        .iter()
        .map(|(job, error)| format!("the record of job {job} in the store can't be read: {error}"));
    let mut problems: Vec<String> = unreadable.collect();
    let readable = Loaded {
        records: loaded.records.clone(),
        seq: loaded.seq,
        ..Loaded::default()
    };
    let Ok(difference) = Difference::between(&readable, contents, Opening::Careful) else {
        return problems;
    };
    if !difference.replay.is_empty() {
        let changes = difference.replay.len();
        problems.push(format!(
            "the store lacks {changes} records that the journal has"
        ));
    }
    if difference.journal_lacks > 0 {
        let jobs = difference.journal_lacks;
        problems.push(format!("the journal lacks {jobs} jobs that the store has"));
    }
    problems
}
