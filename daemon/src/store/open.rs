//! Opening: sled's traps, and what the database lacks taken from the journal.
//!
//! sled 0.34 does not open after a start on a full disk, with a truncated snapshot, or with damage in its log. Without
//! its snapshot it opens again, and may then lack the last changes without a word. The journal has them.

use std::{collections::BTreeMap, fs, io, path::Path};

use framepack_jobs::{JobId, Timestamp};
use tracing::{info, warn};

use super::{
    database::{Database, Stored},
    difference::{Difference, Opening},
    error::StoreError,
    journal::{Contents, Entry, EntryEvent, Journal},
    location::{Location, copy_folder},
};
use crate::record::Record;

/// What was in the store, and what was put right.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) records: BTreeMap<JobId, Stored>,
    pub(super) last_id: u64,
    pub(super) seq: u64,
    /// What was wrong and has been repaired.
    pub(super) repairs: Vec<String>,
    /// Nothing was there, though something should have been.
    pub(super) lost: Option<String>,
}

/// Journal and database, made to agree.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) journal: Journal,
    pub(super) database: Database,
    /// What the journal held before.
    pub(super) contents: Contents,
    pub(super) found: Found,
}

/// Opens the journal, if there is room for what follows.
pub(super) fn open_journal(location: &Location) -> Result<(Journal, Contents), StoreError> {
    location.check_space()?;
    Journal::open(&location.journal()).map_err(StoreError::Journal)
}

/// Opens the database and makes it and the journal agree.
pub(super) fn open(
    location: &Location,
    opening: Opening,
    (journal, contents): (Journal, Contents),
) -> Result<Opened, StoreError> {
    let is_new = !location.database().join("db").exists();
    let mut found = Found::default();
    let database = open_database(location, &contents, opening, &mut found)?;
    if is_new && contents.jobs() > 0 {
        let jobs = contents.jobs();
        found.repairs.push(format!(
            "the store was missing: {jobs} jobs were restored from the journal"
        ));
    } else if is_new && location.is_used {
        found.lost = Some(format!(
            "{} had neither store nor journal: the list of jobs starts empty",
            location.state.display()
        ));
        found.last_id = highest_work_folder(&location.state.join("work"));
    }
    let mut opened = Opened {
        journal,
        database,
        contents,
        found,
    };
    opened.agree(location, opening)?;
    Ok(opened)
}

impl Opened {
    /// Brings database and journal to the same state.
    fn agree(&mut self, location: &Location, opening: Opening) -> Result<(), StoreError> {
        let (contents, found) = (&self.contents, &mut self.found);
        let loaded = self.database.load()?;
        let difference = Difference::between(&loaded, contents, opening)?;
        let is_first = loaded.seq.is_none() && contents.seq == 0;
        found.seq = contents.seq.max(loaded.seq.unwrap_or_default());
        found.last_id = found.last_id.max(loaded.last_id).max(contents.last_id().0);
        found.records = loaded
            .records
            .into_iter()
            .map(|stored| (stored.record.job.id, stored))
            .collect();
        if is_first {
            for stored in found.records.values_mut() {
                found.seq += 1;
                stored.seq = found.seq;
            }
        }
        found.take(&difference);
        if contents.damaged_lines > 0 && loaded.seq.unwrap_or_default() < contents.seq {
            found.lost = Some(lost_with_both(contents.damaged_lines, found));
        }
        if !difference.replay.is_empty() {
            info!(
                changes = difference.replay.len(),
                "the store lacked changes that the journal has"
            );
            self.database.apply(&difference.replay)?;
        }
        if (is_first && !found.records.is_empty())
            || difference.journal_lacks > 0
            || contents.damaged_lines > 0
        {
            self.rewrite_journal(location, &difference, is_first)?;
        }
        Ok(())
    }

    /// Rewrites the journal from what is known.
    fn rewrite_journal(
        &mut self,
        location: &Location,
        difference: &Difference,
        is_first: bool,
    ) -> Result<(), StoreError> {
        let damaged_lines = self.contents.damaged_lines;
        if damaged_lines > 0 {
            let aside = location.aside()?;
            self.journal.copy_to(&aside).map_err(StoreError::Journal)?;
            self.found.repairs.push(format!(
                "{damaged_lines} lines of the journal could not be read; it was rewritten, and the old one is in {}",
                aside.display()
            ));
        } else if !is_first {
            self.found.repairs.push(format!(
                "the journal lacked {} jobs and was rewritten from the store",
                difference.journal_lacks
            ));
        }
        let entries = entries_of(self.found.records.values());
        self.journal
            .compact(entries.iter())
            .map_err(StoreError::Journal)?;
        if is_first {
            self.database.apply(&entries)?;
        }
        Ok(())
    }
}

impl Found {
    fn take(&mut self, difference: &Difference) {
        for entry in &difference.replay {
            self.seq = self.seq.max(entry.seq);
            match &entry.record {
                Some(record) => {
                    let record = Record::clone(record);
                    let stored = Stored {
                        seq: entry.seq,
                        record,
                    };
                    self.records.insert(entry.job, stored);
                }
                None => {
                    self.records.remove(&entry.job);
                }
            }
        }
        self.repairs.extend(difference.repairs.iter().cloned());
    }
}

/// Lines that rebuild the records.
pub(super) fn entries_of<'s>(records: impl Iterator<Item = &'s Stored>) -> Vec<Entry> {
    let at = Timestamp::now();
    let mut entries: Vec<Entry> = records
        .map(|stored| Entry {
            seq: stored.seq,
            at,
            event: EntryEvent::Put,
            job: stored.record.job.id,
            record: Some(Box::new(stored.record.clone())),
            // They are in the log of events by now.
            events: Vec::new(),
        })
        .collect();
    entries.sort_by_key(|entry| entry.seq);
    entries
}

/// Opens sled; when its files are damaged, a copy is kept and it is opened without its snapshot, or recreated.
fn open_database(
    location: &Location,
    contents: &Contents,
    opening: Opening,
    found: &mut Found,
) -> Result<Database, StoreError> {
    let path = location.database();
    if !path.join("db").exists() {
        if path.exists() {
            fs::rename(&path, location.aside()?.join("store"))?;
        }
        return Database::create(&path);
    }
    let damage = match opened_and_readable(&path) {
        Err(error) if error.is_damage() => error,
        opened => return opened,
    };
    warn!(%damage, "the store is damaged");
    let aside = location.aside()?;
    copy_folder(&path, &aside.join("store"))?;
    remove_snapshots(&path)?;
    let database = match opened_and_readable(&path) {
        Err(error) if error.is_damage() => {
            let damaged_lines = contents.damaged_lines;
            if damaged_lines > 0 && opening != Opening::Forced {
                return Err(StoreError::BothDamaged { damaged_lines });
            }
            if contents.jobs() == 0 && opening != Opening::Forced {
                return Err(error);
            }
            warn!(%error, "creating a new store");
            fs::remove_dir_all(&path)?;
            found.repairs.push(format!(
                "the store could not be opened ({damage}): {} jobs were restored from the journal, and the old store is in {}",
                contents.jobs(),
                aside.display()
            ));
            return Database::create(&path);
        }
        opened => opened?,
    };
    found.repairs.push(format!(
        "the store could not be opened ({damage}) until its snapshot was removed; the old one is in {}",
        aside.display()
    ));
    Ok(database)
}

/// Damage may show only when the records are read.
pub(super) fn opened_and_readable(path: &Path) -> Result<Database, StoreError> {
    let database = Database::open(path)?;
    if database.load()?.is_emptied() {
        return Err(StoreError::Emptied(path.join("db")));
    }
    Ok(database)
}

fn remove_snapshots(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(b"snap.") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// What a user has given up by opening a damaged store with a damaged journal.
fn lost_with_both(damaged_lines: u64, found: &Found) -> String {
    let is_unknown = |id: &u64| !found.records.contains_key(&JobId(*id));
    let unknown: Vec<String> = (1..=found.last_id)
        .filter(is_unknown)
        .map(|id| id.to_string())
        .collect();
    format!(
        "{damaged_lines} lines of the journal were discarded with the damaged store: the latest changes of any job may \
         be missing, and nothing is known of jobs [{}]",
        unknown.join(", ")
    )
}

/// The highest job number that has a work folder: none of these is given out again.
fn highest_work_folder(work: &Path) -> u64 {
    let names = fs::read_dir(work).into_iter().flatten().flatten();
    let numbers = names.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers
        .filter(|id| *id <= JobId::HIGHEST.0)
        .max()
        .unwrap_or_default()
}
