//! The truth about jobs: sled, one record a job, synced before anything is acknowledged.
//!
//! ```text
//! tree jobs   job number, big endian → Record as JSON
//! tree meta   schema → 1;  last_id → the highest number ever given out;
//!             pauses → what users have paused, as JSON
//! ```

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    thread,
    time::Instant,
};

use framepack_ipc::worker::Precaution;
use framepack_jobs::{Job, JobId};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sled::{Db, Tree};
use thiserror::Error;

use crate::state_dir::{LOCK_PATIENCE, LOCK_RETRY};

/// Version of the layout above.
const SCHEMA: u64 = 1;
/// Records are a few kilobytes; sled's default of 1 GiB would only hide a leak.
const CACHE_BYTES: u64 = 16 << 20;

/// A job as it is stored: its public record, and what only the daemon needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) job: Job,
    pub(crate) private: Private,
}

/// What only the daemon needs of a job.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Private {
    /// Id of the claimed file, for a job that came through the folder.
    pub(crate) claim: Option<String>,
    /// The job's own copy of its start image.
    pub(crate) input: PathBuf,
    /// Version of the worker that had it last.
    pub(crate) worker_version: Option<String>,
    /// Workers that died while rendering this job.
    pub(crate) worker_deaths: u32,
    /// What the next run does otherwise than the last.
    #[serde(default)]
    pub(crate) precaution: Precaution,
    /// A user wants it stopped and the worker has not said yet that it has.
    pub(crate) cancel_requested: bool,
}

/// Why the store can't be used.
#[derive(Debug, Error)]
pub(crate) enum StoreError {
    #[error("the store failed: {0}")]
    Sled(#[from] sled::Error),
    #[error("record of job {job} in the store: {error}")]
    Record { job: u64, error: serde_json::Error },
    #[error("{key} in the store: {error}")]
    Note {
        key: String,
        error: serde_json::Error,
    },
    #[error(
        "the store was written by a newer framepackd (schema {found}, this one knows {SCHEMA})"
    )]
    Newer { found: u64 },
}

/// The open store. sled locks its folder: a second process is refused.
#[derive(Debug)]
pub(crate) struct Store {
    db: Db,
    jobs: Tree,
    meta: Tree,
    /// Records to be written, or removed.
    changes: Vec<(JobId, Option<Box<Record>>)>,
    /// Values of the daemon's own to be written.
    notes: BTreeMap<&'static str, Vec<u8>>,
}

impl Store {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let db = open_db(path)?;
        let store = Self {
            jobs: db.open_tree("jobs")?,
            meta: db.open_tree("meta")?,
            db,
            changes: Vec::new(),
            notes: BTreeMap::new(),
        };
        match store.number("schema")? {
            Some(found) if found > SCHEMA => return Err(StoreError::Newer { found }),
            Some(_) => {}
            None => store.set_number("schema", SCHEMA)?,
        }
        store.db.flush()?;
        Ok(store)
    }

    /// Every record, by number.
    pub(crate) fn all(&self) -> Result<Vec<Record>, StoreError> {
        let decode = |entry: Result<(sled::IVec, sled::IVec), sled::Error>| {
            let (key, value) = entry?;
            serde_json::from_slice(&value).map_err(|error| StoreError::Record {
                job: number(&key).unwrap_or_default(),
                error,
            })
        };
        self.jobs.iter().map(decode).collect()
    }

    /// The highest job number ever given out.
    pub(crate) fn last_id(&self) -> Result<JobId, StoreError> {
        Ok(JobId(self.number("last_id")?.unwrap_or_default()))
    }

    /// Notes a job's record; durable after [`Self::commit`].
    pub(crate) fn put(&mut self, record: &Record) {
        self.changes
            .push((record.job.id, Some(Box::new(record.clone()))));
    }

    /// Drops what was noted of a job that nobody was told of.
    pub(crate) fn take_back(&mut self, job: JobId) {
        self.changes.retain(|(changed, _)| *changed != job);
        // A part of it may have reached the disk.
        self.changes.push((job, None));
    }

    /// Notes a value of the daemon's own; durable after [`Self::commit`].
    pub(crate) fn put_note(&mut self, key: &'static str, value: &impl Serialize) {
        let value = serde_json::to_vec(value).expect("a note is plain data with string keys");
        self.notes.insert(key, value);
    }

    /// A value of the daemon's own, if it was ever noted.
    pub(crate) fn note<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StoreError> {
        let Some(value) = self.meta.get(key)? else {
            return Ok(None);
        };
        let note = serde_json::from_slice(&value);
        note.map(Some).map_err(|error| StoreError::Note {
            key: key.to_owned(),
            error,
        })
    }

    /// Whether there is anything to commit.
    pub(crate) fn has_changes(&self) -> bool {
        !self.changes.is_empty() || !self.notes.is_empty()
    }

    /// Makes everything noted so far durable with one sync. When that fails it stays noted.
    pub(crate) async fn commit(&mut self) -> Result<(), StoreError> {
        let mut last_id = self.last_id()?;
        let mut batch = sled::Batch::default();
        for (job, record) in &self.changes {
            last_id = last_id.max(*job);
            let key = job.0.to_be_bytes();
            match record {
                Some(record) => {
                    let value = serde_json::to_vec(record)
                        .expect("a record is plain data with string keys");
                    batch.insert(&key, value);
                }
                None => batch.remove(&key),
            }
        }
        // The counter first: a crash between the two wastes a number instead of giving it out twice.
        self.set_number("last_id", last_id.0)?;
        self.jobs.apply_batch(batch)?;
        for (key, value) in &self.notes {
            self.meta.insert(key, value.as_slice())?;
        }
        self.db.flush_async().await?;
        self.changes.clear();
        self.notes.clear();
        Ok(())
    }

    fn number(&self, key: &str) -> Result<Option<u64>, StoreError> {
        Ok(self.meta.get(key)?.and_then(|value| number(&value)))
    }

    fn set_number(&self, key: &str, value: u64) -> Result<(), StoreError> {
        self.meta.insert(key, &value.to_be_bytes())?;
        Ok(())
    }
}

/// Opens sled. The caller holds the state directory's lock, so whoever holds sled's is a process that is dying.
fn open_db(path: &Path) -> Result<Db, sled::Error> {
    let config = sled::Config::new().path(path).cache_capacity(CACHE_BYTES);
    let asked = Instant::now();
    loop {
        match config.open() {
            Err(sled::Error::Io(error)) if is_locked(&error) && asked.elapsed() < LOCK_PATIENCE => {
                thread::sleep(LOCK_RETRY);
            }
            opened => return opened,
        }
    }
}

/// sled hides the kind of this error in its text.
fn is_locked(error: &io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

fn number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

#[cfg(test)]
mod tests;
