//! The database: sled, with a sync that is asked for and errors instead of panics.
//!
//! ```text
//! tree jobs   job number, big endian → Stored as JSON
//! tree meta   schema → 2;  last_id → the highest number ever given out;  seq → the last change it has
//! ```
//!
//! Schema 1 had neither `seq` nor a journal beside it.

use std::{
    fs, io,
    panic::{self, AssertUnwindSafe},
    path::Path,
};

use framepack_jobs::JobId;
use serde::{Deserialize, Serialize};
use sled::{Db, Tree};

use super::{error::StoreError, journal::Entry};
use crate::{
    file::{patiently, sync_dir},
    record::Record,
};

/// Version of the layout above.
const SCHEMA: u64 = 2;
/// Records are a few kilobytes; sled's default of 1 GiB would only hide a leak.
const CACHE_BYTES: u64 = 16 << 20;

/// A record as the database has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Stored {
    /// The journal's number of this change; 0 in schema 1.
    #[serde(default)]
    pub(super) seq: u64,
    #[serde(flatten)]
    pub(super) record: Record,
}

/// Everything in the database.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub(super) records: Vec<Stored>,
    /// Jobs whose records can't be read, and why.
    pub(super) unreadable: Vec<(JobId, String)>,
    pub(super) last_id: u64,
    /// The last change that the database has; `None` before schema 2.
    pub(super) seq: Option<u64>,
    /// Version of its layout. Every database has one from the beginning: sled reads a file of noise as an empty one.
    pub(super) schema: Option<u64>,
}

impl Loaded {
    /// What was in the file is gone.
    pub(super) fn is_emptied(&self) -> bool {
        self.schema.is_none() && self.records.is_empty() && self.unreadable.is_empty()
    }
}

/// The open database. sled locks its folder: a second process is refused.
#[derive(Debug)]
pub(super) struct Database {
    db: Db,
    jobs: Tree,
    meta: Tree,
}

impl Database {
    /// Makes an empty one: elsewhere, so that one without a version was not made like this.
    pub(super) fn create(path: &Path) -> Result<Self, StoreError> {
        let making = path.with_extension("new");
        if making.exists() {
            fs::remove_dir_all(&making)?;
        }
        let made = Self::open(&making)?;
        caught(|| {
            made.set_numbers(&[("schema", SCHEMA)])?;
            made.db.flush()?;
            Ok(())
        })?;
        drop(made);
        fs::rename(&making, path)?;
        sync_dir(path.parent().unwrap_or(path))?;
        Self::open(path)
    }

    /// Opens it. Where sled panics it is damaged.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        caught(|| {
            let db = open_db(path)?;
            Ok(Self {
                jobs: db.open_tree("jobs")?,
                meta: db.open_tree("meta")?,
                db,
            })
        })
    }

    /// Reads everything.
    pub(super) fn load(&self) -> Result<Loaded, StoreError> {
        caught(|| {
            let schema = self.number("schema")?;
            if let Some(found) = schema.filter(|found| *found > SCHEMA) {
                let supported = SCHEMA;
                return Err(StoreError::Newer { found, supported });
            }
            let mut loaded = Loaded {
                schema,
                last_id: self.number("last_id")?.unwrap_or_default(),
                seq: self.number("seq")?,
                ..Loaded::default()
            };
            for entry in &self.jobs {
                let (key, value) = entry?;
                match serde_json::from_slice(&value) {
                    Ok(stored) => loaded.records.push(stored),
                    Err(error) => {
                        let job = JobId(number(&key).unwrap_or_default());
                        loaded.unreadable.push((job, error.to_string()));
                    }
                }
            }
            Ok(loaded)
        })
    }

    /// Makes changes durable with one sync.
    pub(super) fn apply(&self, entries: &[Entry]) -> Result<(), StoreError> {
        caught(|| {
            let mut batch = sled::Batch::default();
            let mut last_id = self.number("last_id")?.unwrap_or_default();
            let mut seq = self.number("seq")?.unwrap_or_default();
            for entry in entries {
                (last_id, seq) = (last_id.max(entry.job.0), seq.max(entry.seq));
                let key = &entry.job.0.to_be_bytes();
                match &entry.record {
                    Some(record) => batch.insert(key, value(entry.seq, record)),
                    None => batch.remove(key),
                }
            }
            // The counter first: a crash between the two wastes a number instead of giving it out twice.
            self.set_numbers(&[("schema", SCHEMA), ("last_id", last_id)])?;
            self.jobs.apply_batch(batch)?;
            self.set_numbers(&[("seq", seq)])?;
            self.db.flush()?;
            Ok(())
        })
    }

    fn number(&self, key: &str) -> Result<Option<u64>, StoreError> {
        Ok(self.meta.get(key)?.and_then(|value| number(&value)))
    }

    fn set_numbers(&self, numbers: &[(&str, u64)]) -> Result<(), StoreError> {
        for (key, value) in numbers {
            if self.number(key)? != Some(*value) {
                self.meta.insert(key, &value.to_be_bytes())?;
            }
        }
        Ok(())
    }
}

fn value(seq: u64, record: &Record) -> Vec<u8> {
    #[derive(Serialize)]
    struct Borrowed<'r> {
        seq: u64,
        #[serde(flatten)]
        record: &'r Record,
    }
    serde_json::to_vec(&Borrowed { seq, record }).expect("a record is plain data with string keys")
}

/// sled's panics as errors: what it asserts is not true of damaged files.
fn caught<T>(act: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    panic::catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        Err(StoreError::Panicked(text.unwrap_or("no text").to_owned()))
    })
}

/// Opens sled. The caller holds the state directory's lock, so whoever holds sled's is a process that is dying.
fn open_db(path: &Path) -> Result<Db, sled::Error> {
    let config = sled::Config::new()
        .path(path)
        .cache_capacity(CACHE_BYTES)
        // Each commit flushes; an idle daemon has nothing to do.
        .flush_every_ms(None);
    patiently(
        || config.open(),
        |opened| matches!(opened, Err(sled::Error::Io(error)) if is_locked(error)),
    )
}

/// sled hides the kind of this error in its text.
fn is_locked(error: &io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

fn number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}
