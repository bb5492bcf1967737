//! Journal and database together: what a commit does, in the thread that may wait for the disk.

use std::collections::VecDeque;

use framepack_ipc::{event::Event, state::StateReport};
use tracing::warn;

use super::{
    database::{Database, Stored},
    difference::{self, Opening},
    error::StoreError,
    journal::{Contents, Entry, EntryEvent, Journal, RECENT},
    location::Location,
    open::{self, Found, entries_of, open_journal},
    report::report,
};
use crate::events::{EventLog, EventsView};

/// Removed jobs that the journal remembers when it is replaced, for a database that has forgotten it.
const MAX_REMOVED: usize = 1000;

/// The store's files.
#[derive(Debug)]
pub(super) struct Disk {
    location: Location,
    journal: Journal,
    /// `None` after it failed, until it is opened again.
    database: Option<Database>,
    removed: VecDeque<Entry>,
    events: EventLog,
}

impl Disk {
    /// Opens journal and database, and says what was in them.
    pub(super) fn open(location: &Location, opening: Opening) -> Result<(Self, Found), StoreError> {
        let (journal, contents) = open_journal(location)?;
        let mut events = EventLog::open(&location.events(), location.event_limits, contents.seq)?;
        copy_untold(&contents, &mut events)?;
        let mut opened = open::open(location, opening, (journal, contents))?;
        // A new store goes on with numbers that no event has.
        opened.found.seq = opened.found.seq.max(events.last_seq());
        let mut disk = Self {
            location: location.clone(),
            journal: opened.journal,
            database: Some(opened.database),
            removed: VecDeque::new(),
            events,
        };
        disk.note_removed(opened.contents.latest.values());
        Ok((disk, opened.found))
    }

    /// Makes changes durable. `Ok` with an error: they are, in the journal, and the database has failed.
    pub(super) fn commit(
        &mut self,
        entries: &[Entry],
    ) -> Result<Result<(), StoreError>, StoreError> {
        if entries.is_empty() {
            return Ok(Ok(()));
        }
        self.journal.append(entries).map_err(StoreError::Journal)?;
        for entry in entries {
            self.events.note_change(entry.seq, entry.at, &entry.events);
        }
        self.tell(Vec::new());
        self.note_removed(entries.iter());
        let Some(database) = &self.database else {
            return Ok(Ok(()));
        };
        let applied = database.apply(entries);
        if applied.is_err() {
            // sled does not recover from a failed write: it is opened again later, and the journal has what it lacks.
            self.database = None;
        } else if self.journal.wants_compaction()
            && let Err(error) = self.compact()
        {
            warn!(%error, "the journal keeps growing");
        }
        Ok(applied)
    }

    /// Tells what is no change of a job, beside what is noted of changes.
    pub(super) fn tell(&mut self, others: Vec<Event>) {
        for event in others {
            self.events.note_other(event);
        }
        if let Err(error) = self.events.write() {
            warn!(%error, "the log of events can't be written: readers wait");
        }
    }

    /// The log of events for readers.
    pub(super) fn events(&self) -> EventsView {
        self.events.view()
    }

    /// Whether the farm was told to be idle last.
    pub(super) fn was_idle(&self) -> bool {
        self.events.is_idle()
    }

    /// Opens the database again after it failed.
    pub(super) fn reopen(&mut self) -> Result<Vec<String>, StoreError> {
        // Before the lock of the old one is asked for.
        self.database = None;
        let (journal, contents) = open_journal(&self.location)?;
        copy_untold(&contents, &mut self.events)?;
        let opened = open::open(&self.location, Opening::Again, (journal, contents))?;
        (self.journal, self.database) = (opened.journal, Some(opened.database));
        self.removed.clear();
        self.note_removed(opened.contents.latest.values());
        Ok(opened.found.repairs)
    }

    /// Reads both, and compares them.
    pub(super) fn report(&mut self) -> Result<StateReport, StoreError> {
        let contents = self.journal.read().map_err(StoreError::Journal)?;
        let mut report = report(&self.location, &contents)?;
        match &self.database {
            Some(database) => {
                let loaded = database.load()?;
                report.jobs = loaded.records.len() as u64;
                report
                    .problems
                    .extend(difference::in_words(&loaded, &contents));
            }
            None => report
                .problems
                .push("the store failed and is closed; the journal has every change".to_owned()),
        }
        Ok(report)
    }

    /// Replaces the journal by what rebuilds all jobs that have not ended and the ones that ended last.
    fn compact(&mut self) -> Result<(), StoreError> {
        // The journal has the events of changes until the log has them for good.
        self.events.write()?;
        self.events.sync()?;
        let database = self.database.as_ref().expect("the caller has just used it");
        let loaded = database.load()?;
        let mut finished: Vec<&Stored> = Vec::new();
        let mut kept: Vec<&Stored> = Vec::new();
        for stored in &loaded.records {
            if stored.record.job.is_finished() {
                finished.push(stored);
            } else {
                kept.push(stored);
            }
        }
        finished.sort_by_key(|stored| stored.seq);
        kept.extend(finished.iter().rev().take(RECENT));
        // The highest number, so that it is never given out again.
        kept.extend(loaded.records.last());
        kept.sort_by_key(|stored| stored.record.job.id);
        kept.dedup_by_key(|stored| stored.record.job.id);
        let mut entries = entries_of(kept.into_iter());
        entries.extend(self.removed.iter().cloned());
        entries.sort_by_key(|entry| entry.seq);
        self.journal
            .compact(entries.iter())
            .map_err(StoreError::Journal)
    }

    fn note_removed<'e>(&mut self, entries: impl Iterator<Item = &'e Entry>) {
        for entry in entries.filter(|entry| entry.event == EntryEvent::Remove) {
            self.removed.push_back(entry.clone());
        }
        while self.removed.len() > MAX_REMOVED {
            self.removed.pop_front();
        }
    }
}

/// Copies what a crash, or a full disk, has kept from the log of events.
fn copy_untold(contents: &Contents, events: &mut EventLog) -> Result<(), StoreError> {
    for untold in &contents.untold {
        events.note_change(untold.seq, untold.at, &untold.events);
    }
    Ok(events.write()?)
}
