//! The open store: changes are noted one by one, and a commit makes all of them durable with one sync.

use std::{
    collections::BTreeMap,
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use framepack_ipc::event::Event;
use framepack_jobs::{JobId, Timestamp};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::task;

use super::{
    difference::Opening,
    disk::Disk,
    error::StoreError,
    journal::{Entry, EntryEvent},
    location::Location,
    notes, repairs,
    view::StoreView,
};
use crate::{events::EventsView, record::Record};

/// Pause between two attempts to open a database that failed.
const REOPEN_PAUSE: Duration = Duration::from_secs(2);

/// The open store.
#[derive(Debug)]
pub(crate) struct Store {
    /// Only a commit holds the lock, and only one at a time.
    disk: Arc<Mutex<Disk>>,
    location: Location,
    last_id: JobId,
    seq: u64,
    /// Wait for the next commit.
    changes: Vec<Entry>,
    /// What happened that is no change of a job; waits, too.
    others: Vec<Event>,
    notes: BTreeMap<String, Value>,
    /// Wait for the next commit, too.
    are_notes_new: bool,
    /// Why the database is closed, while it is.
    failure: Option<StoreError>,
    /// When it was tried to open it again.
    tried: Instant,
    was_idle: bool,
    events: EventsView,
}

impl Store {
    /// Opens the store and returns every record, by number. Takes as long as the disk does.
    pub(crate) fn open(
        location: &Location,
        opening: Opening,
    ) -> Result<(Self, Vec<Record>), StoreError> {
        let (disk, mut found) = Disk::open(location, opening)?;
        let (notes, unreadable) = notes::read(location)?;
        found.repairs.extend(unreadable);
        let (was_idle, events) = (disk.was_idle(), disk.events());
        let store = Self {
            disk: Arc::new(Mutex::new(disk)),
            location: location.clone(),
            last_id: JobId(found.last_id),
            seq: found.seq,
            changes: Vec::new(),
            others: Vec::new(),
            notes,
            are_notes_new: false,
            failure: None,
            tried: Instant::now(),
            was_idle,
            events,
        };
        let repaired = found.repairs.into_iter().map(repairs::repaired);
        repairs::add(location, repaired.chain(found.lost.map(repairs::lost)))?;
        let records = found.records.into_values();
        Ok((store, records.map(|stored| stored.record).collect()))
    }

    /// The highest job number ever given out.
    pub(crate) fn last_id(&self) -> JobId {
        self.last_id
    }

    /// Notes a job's record, and what its change is told as; durable after [`Self::commit`].
    pub(crate) fn put(&mut self, record: &Record, events: Vec<Event>) {
        self.change(
            record.job.id,
            EntryEvent::Put,
            Some(Box::new(record.clone())),
            events,
        );
    }

    /// Notes what happened that is no change of a job; durable and told after [`Self::commit`].
    pub(crate) fn tell(&mut self, event: Event) {
        self.others.push(event);
    }

    /// Whether the farm was told to be idle before this daemon.
    pub(crate) fn was_idle(&self) -> bool {
        self.was_idle
    }

    /// Drops what was noted of a job that nobody was told of.
    pub(crate) fn take_back(&mut self, job: JobId) {
        self.changes.retain(|entry| entry.job != job);
        // A part of it may have reached the disk.
        self.change(job, EntryEvent::Remove, None, Vec::new());
    }

    /// Notes that a job is forgotten, which is told as these events; durable after [`Self::commit`].
    pub(crate) fn remove(&mut self, job: JobId, events: Vec<Event>) {
        self.change(job, EntryEvent::Remove, None, events);
    }

    fn change(
        &mut self,
        job: JobId,
        event: EntryEvent,
        record: Option<Box<Record>>,
        events: Vec<Event>,
    ) {
        self.seq += 1;
        self.last_id = self.last_id.max(job);
        self.changes.push(Entry {
            seq: self.seq,
            at: Timestamp::now(),
            event,
            job,
            record,
            events,
        });
    }

    /// Notes a value of the daemon's own; durable after [`Self::commit`].
    pub(crate) fn put_note(&mut self, key: &str, value: &impl Serialize) {
        let value = serde_json::to_value(value).expect("a note is plain data with string keys");
        self.notes.insert(key.to_owned(), value);
        self.are_notes_new = true;
    }

    /// A value of the daemon's own, if it was ever noted.
    pub(crate) fn note<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StoreError> {
        let value = self.notes.get(key).cloned();
        let note = value.map(serde_json::from_value).transpose();
        note.map_err(|error| StoreError::Io(error.into()))
    }

    /// Whether there is anything to commit.
    pub(crate) fn has_changes(&self) -> bool {
        !self.changes.is_empty() || !self.others.is_empty() || self.are_notes_new
    }

    /// Makes everything noted so far durable with one sync. When that fails it stays noted.
    pub(crate) async fn commit(&mut self) -> Result<(), StoreError> {
        if self.are_notes_new {
            let (path, notes) = (self.location.notes(), self.notes.clone());
            self.on_disk(move |_| notes::write(&path, &notes)).await?;
            self.are_notes_new = false;
        }
        if self.changes.is_empty() && self.others.is_empty() {
            return Ok(());
        }
        let mut entries = mem::take(&mut self.changes);
        let others = mem::take(&mut self.others);
        let at = Timestamp::now();
        for entry in &mut entries {
            entry.at = at;
        }
        let (entries, others, committed) = self
            .on_disk(|disk| {
                let committed = disk.commit(&entries);
                if committed.is_err() {
                    return (entries, others, committed);
                }
                disk.tell(others);
                (entries, Vec::new(), committed)
            })
            .await;
        match committed {
            Ok(Ok(())) => Ok(()),
            Ok(Err(failure)) => {
                self.failure = Some(failure);
                Ok(())
            }
            Err(error) => {
                (self.changes, self.others) = (entries, others);
                Err(error)
            }
        }
    }

    /// Why the database is closed, while it is: changes are durable in the journal alone.
    pub(crate) fn failure(&self) -> Option<&StoreError> {
        self.failure.as_ref()
    }

    /// Opens the database again, if it failed.
    pub(crate) async fn reopen(&mut self) {
        if self.failure.is_none() || self.tried.elapsed() < REOPEN_PAUSE {
            return;
        }
        self.tried = Instant::now();
        match self.on_disk(Disk::reopen).await {
            Ok(repaired) => {
                self.failure = None;
                let notes = repaired.into_iter().map(repairs::repaired);
                if let Err(error) = repairs::add(&self.location, notes) {
                    tracing::warn!(%error, "could not save the note of a repair");
                }
            }
            Err(error) => self.failure = Some(error),
        }
    }

    /// The store for those who do not change jobs.
    pub(crate) fn view(&self) -> StoreView {
        StoreView::new(Arc::clone(&self.disk), self.location.clone())
    }

    /// The log of events for readers.
    pub(crate) fn events(&self) -> EventsView {
        self.events.clone()
    }

    /// Works on the files in a thread that may wait for them.
    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Disk) -> T + Send + 'static,
    ) -> T {
        let disk = Arc::clone(&self.disk);
        let done = task::spawn_blocking(move || {
            work(&mut disk.lock().unwrap_or_else(PoisonError::into_inner))
        });
        done.await
            .expect("sled's panics are caught, and the runtime outlives the queue")
    }
}
