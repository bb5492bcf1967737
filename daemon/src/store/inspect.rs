//! The store while no daemon has it open: what is in it and what is wrong with it, with nothing repaired.

use std::collections::BTreeMap;

use framepack_ipc::state::StateReport;
use framepack_jobs::JobId;

use super::{
    database::{Loaded, Stored},
    difference,
    error::StoreError,
    journal::Contents,
    location::Location,
    open::opened_and_readable,
    report::{peek, report},
};
use crate::record::Record;

/// What was seen.
#[derive(Debug)]
pub(crate) struct Inspection {
    pub(crate) report: StateReport,
    /// What can be read, by number: of each job what is newer, in the store or in the journal.
    pub(crate) records: Vec<Record>,
}

/// Looks at store and journal. The caller holds the state directory's lock.
pub(crate) fn inspect(location: &Location) -> Result<Inspection, StoreError> {
    let contents = peek(location)?;
    let mut report = report(location, &contents)?;
    let loaded = match read(location) {
        Ok(Some(loaded)) => {
            // A store of the first version has no journal yet.
            if loaded.seq.is_some() || contents.seq > 0 {
                let problems = difference::in_words(&loaded, &contents);
                report.problems.extend(problems);
            }
            loaded
        }
        Ok(None) => {
            if location.is_used || contents.jobs() > 0 {
                let (folder, jobs) = (location.database(), contents.jobs());
                report.problems.push(format!(
                    "there is no store at {}; the journal has {jobs} jobs",
                    folder.display()
                ));
            }
            Loaded::default()
        }
        Err(error) => {
            report.problems.insert(0, error.to_string());
            Loaded::default()
        }
    };
    let records = newest(loaded, contents);
    report.jobs = records.len() as u64;
    Ok(Inspection { report, records })
}

/// The database, if there is one. With too little space even looking at it would spoil it.
fn read(location: &Location) -> Result<Option<Loaded>, StoreError> {
    let path = location.database();
    if !path.join("db").exists() {
        return Ok(None);
    }
    location.check_space()?;
    opened_and_readable(&path)?.load().map(Some)
}

fn newest(loaded: Loaded, contents: Contents) -> Vec<Record> {
    let stored = loaded.records.into_iter();
    let mut all: BTreeMap<JobId, Stored> = stored
        .map(|stored| (stored.record.job.id, stored))
        .collect();
    for entry in contents.latest.into_values() {
        let is_older = all
            .get(&entry.job)
            .is_none_or(|stored| stored.seq < entry.seq);
        match entry.record {
            _ if !is_older => {}
            None => {
                all.remove(&entry.job);
            }
            Some(record) => {
                let (seq, record) = (entry.seq, *record);
                all.insert(entry.job, Stored { seq, record });
            }
        }
    }
    all.into_values().map(|stored| stored.record).collect()
}
