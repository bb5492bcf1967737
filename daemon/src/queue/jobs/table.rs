//! The owner of all records. Whatever changes one goes through [`Jobs::change`], which indexes it and notes it for the
//! store; it is durable after [`Jobs::commit`].

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    ops::Bound,
    path::{Path, PathBuf},
};

use framepack_ipc::{control::ListRequest, event::Event};
use framepack_jobs::{Job, JobId, JobState, Selector, StateName, Timestamp, Unmatched, select};
use serde::{Serialize, de::DeserializeOwned};

use super::{index::Index, kept::is_recent};
use crate::{
    events::ToldJobs,
    record::Record,
    store::{Store, StoreError},
};

/// All jobs.
#[derive(Debug)]
pub(in crate::queue) struct Jobs {
    store: Store,
    table: BTreeMap<JobId, Record>,
    index: Index,
    last_id: JobId,
    told: ToldJobs,
}

impl Jobs {
    /// What is in the store.
    pub(in crate::queue) fn new(store: Store, records: Vec<Record>) -> Self {
        let mut index = Index::default();
        for record in &records {
            index.note(record);
        }
        Self {
            last_id: store.last_id(),
            told: ToldJobs::of(records.iter()),
            table: records
                .into_iter()
                .map(|record| (record.job.id, record))
                .collect(),
            store,
            index,
        }
    }

    /// All records, by number.
    pub(in crate::queue) fn all(&self) -> &BTreeMap<JobId, Record> {
        &self.table
    }

    pub(in crate::queue) fn get(&self, id: JobId) -> Option<&Record> {
        self.table.get(&id)
    }

    /// The waiting jobs, by number.
    pub(in crate::queue) fn queued(&self) -> &BTreeSet<JobId> {
        self.index.queued()
    }

    /// The running jobs, by number.
    pub(in crate::queue) fn running(&self) -> impl Iterator<Item = &Record> {
        self.index
            .running()
            .iter()
            .filter_map(|id| self.table.get(id))
    }

    /// Jobs that have not ended.
    pub(in crate::queue) fn unfinished(&self) -> u64 {
        (self.index.queued().len() + self.index.running().len()) as u64
    }

    /// The jobs that are meant.
    pub(in crate::queue) fn select(&self, selectors: &[Selector]) -> Result<Vec<&Job>, Unmatched> {
        select(selectors, self.table.values().map(|record| &record.job))
    }

    /// The jobs that a list is asked for.
    pub(in crate::queue) fn list(&self, request: &ListRequest) -> Vec<Job> {
        let jobs = self.table.values().map(|record| &record.job);
        jobs.filter(|job| request.is_meant(job)).cloned().collect()
    }

    /// Jobs in each state that any job is in.
    pub(in crate::queue) fn counts(&self) -> BTreeMap<StateName, u64> {
        let mut counts = BTreeMap::new();
        for record in self.table.values() {
            *counts.entry(record.job.state.name()).or_default() += 1;
        }
        counts
    }

    /// At most so many records with numbers behind `after`.
    pub(in crate::queue) fn after(&self, after: JobId, limit: usize) -> Vec<Record> {
        let behind = (Bound::Excluded(after), Bound::Unbounded);
        let records = self.table.range(behind).take(limit);
        records.map(|(_, record)| record.clone()).collect()
    }

    /// The latest job of this key.
    pub(in crate::queue) fn by_key(&self, key: &str) -> Option<&Job> {
        let record = self.table.get(&self.index.by_key(key)?)?;
        Some(&record.job)
    }

    /// The job of this key, if it will have a video or has one. One that failed, was cancelled, was done long ago, or
    /// whose video was removed may be rendered again, as a new job.
    pub(in crate::queue) fn live_or_done(&self, key: &str) -> Option<&Job> {
        self.by_key(key).filter(|job| match job.state {
            JobState::Done { finished_at, .. } => is_recent(finished_at, Timestamp::now()),
            _ => !job.is_finished(),
        })
    }

    pub(in crate::queue) fn by_claim(&self, claim: &str) -> Option<&Record> {
        self.table.get(&self.index.by_claim(claim)?)
    }

    /// Whether a job that has not ended will write this file.
    pub(in crate::queue) fn is_reserved(&self, output: &Path) -> bool {
        self.index.is_reserved(output)
    }

    /// The files in this folder with names like this that jobs will write, but for those of one job.
    pub(in crate::queue) fn reserved_like(
        &self,
        folder: &Path,
        stem: &str,
        but: Option<JobId>,
    ) -> HashSet<PathBuf> {
        self.index.reserved_like(folder, stem, but)
    }

    /// Adds a job under the next number.
    pub(in crate::queue) fn add(&mut self, make: impl FnOnce(JobId) -> Record) -> &Record {
        self.insert(make(JobId(self.last_id.0 + 1)))
    }

    /// Adds a job under its own number, which is free.
    pub(in crate::queue) fn insert(&mut self, record: Record) -> &Record {
        let id = record.job.id;
        // Never given out again, even when the store refuses the job: a part of the record may be on the disk.
        self.last_id = self.last_id.max(id);
        self.index.note(&record);
        self.store.put(&record, self.told.note(&record));
        self.table.entry(id).insert_entry(record).into_mut()
    }

    /// Changes a record. `None`: there is no such job.
    pub(in crate::queue) fn change<T>(
        &mut self,
        id: JobId,
        change: impl FnOnce(&mut Record) -> T,
    ) -> Option<T> {
        let changed = self.change_unstored(id, change)?;
        let record = self.table.get(&id)?;
        self.store.put(record, self.told.note(record));
        Some(changed)
    }

    /// The same for what need not outlive the daemon: it is stored with the record's next change.
    pub(in crate::queue) fn change_unstored<T>(
        &mut self,
        id: JobId,
        change: impl FnOnce(&mut Record) -> T,
    ) -> Option<T> {
        let record = self.table.get_mut(&id)?;
        self.index.forget_output(record);
        let changed = change(record);
        self.index.note(record);
        Some(changed)
    }

    /// Puts another record in the place of one of its number, whatever both are. Durable with its [`Jobs::put`]. Returns the
    /// one that was there; `None`: there is no such job, and nothing is done.
    pub(in crate::queue) fn exchange(&mut self, record: Record) -> Option<Record> {
        let before = self.table.remove(&record.job.id)?;
        self.index.forget(&before, &self.table);
        self.index.note(&record);
        self.table.insert(record.job.id, record);
        Some(before)
    }

    /// Notes a record for the store as it is now.
    pub(in crate::queue) fn put(&mut self, id: JobId) {
        if let Some(record) = self.table.get(&id) {
            self.store.put(record, self.told.note(record));
        }
    }

    /// Forgets a job, durably with the next commit. Its number is never given out again.
    pub(in crate::queue) fn remove(&mut self, id: JobId) -> Option<Record> {
        let record = self.table.remove(&id)?;
        self.index.forget(&record, &self.table);
        self.store.remove(id, self.told.removed(&record.job));
        Some(record)
    }

    /// Takes back a job that nobody was told of yet.
    pub(in crate::queue) fn take_back(&mut self, id: JobId) -> Option<Record> {
        let record = self.table.remove(&id)?;
        self.index.forget(&record, &self.table);
        self.told.forget(id);
        self.store.take_back(id);
        Some(record)
    }

    /// Whether anything waits for the next commit.
    pub(in crate::queue) fn has_changes(&self) -> bool {
        self.store.has_changes()
    }

    /// Makes all changes durable with one sync.
    pub(in crate::queue) async fn commit(&mut self) -> Result<(), StoreError> {
        self.store.commit().await
    }

    /// Opens the store again, if it failed.
    pub(in crate::queue) async fn reopen(&mut self) {
        self.store.reopen().await;
    }

    /// Why changes are durable in the journal alone, while they are.
    pub(in crate::queue) fn failure(&self) -> Option<&StoreError> {
        self.store.failure()
    }

    /// Notes what happened that is no change of a job; durable and told with the next commit.
    pub(in crate::queue) fn tell(&mut self, event: Event) {
        self.store.tell(event);
    }

    /// Whether the farm was told to be idle before this daemon.
    pub(in crate::queue) fn was_idle(&self) -> bool {
        self.store.was_idle()
    }

    /// Notes what users decided about the queue as a whole; durable with the next commit.
    pub(in crate::queue) fn put_note(&mut self, key: &str, value: &impl Serialize) {
        self.store.put_note(key, value);
    }

    /// What they decided, if it was ever noted.
    pub(in crate::queue) fn note<T: DeserializeOwned>(
        &self,
        key: &str,
    ) -> Result<Option<T>, StoreError> {
        self.store.note(key)
    }
}
