//! What is looked up often, so that ten thousand jobs cost no more than ten.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    path::{Path, PathBuf},
};

use framepack_jobs::{JobId, StateName};

use crate::record::Record;

/// Ways to the jobs other than their numbers.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// The latest job of each key.
    keys: HashMap<String, JobId>,
    claims: HashMap<String, JobId>,
    /// Videos that jobs will write.
    reserved: BTreeMap<PathBuf, JobId>,
    queued: BTreeSet<JobId>,
    running: BTreeSet<JobId>,
}

impl Index {
    /// Notes a job that is new or has another state.
    pub(super) fn note(&mut self, record: &Record) {
        let (id, state) = (record.job.id, record.job.state.name());
        let latest = self.keys.entry(record.job.key.clone()).or_insert(id);
        *latest = id.max(*latest);
        if let Some(claim) = &record.private.claim {
            self.claims.insert(claim.clone(), id);
        }
        for (of_state, name) in [
            (&mut self.queued, StateName::Queued),
            (&mut self.running, StateName::Running),
        ] {
            if state == name {
                of_state.insert(id);
            } else {
                of_state.remove(&id);
            }
        }
        if state.is_finished() {
            self.forget_output(record);
        } else {
            self.reserved.entry(record.job.output.clone()).or_insert(id);
        }
    }

    /// The job may be about to write another file.
    pub(super) fn forget_output(&mut self, record: &Record) {
        if self.reserved.get(&record.job.output) == Some(&record.job.id) {
            self.reserved.remove(&record.job.output);
        }
    }

    /// Forgets a job that is not among `jobs` any more.
    pub(super) fn forget(&mut self, record: &Record, jobs: &BTreeMap<JobId, Record>) {
        let (id, key) = (record.job.id, &record.job.key);
        self.queued.remove(&id);
        self.running.remove(&id);
        if let Some(claim) = &record.private.claim {
            self.claims.remove(claim);
        }
        self.forget_output(record);
        if self.keys.get(key) == Some(&id) {
            self.keys.remove(key);
            let mut others = jobs.values().rev();
            if let Some(latest) = others.find(|record| record.job.key == *key) {
                self.keys.insert(key.clone(), latest.job.id);
            }
        }
    }

    pub(super) fn by_key(&self, key: &str) -> Option<JobId> {
        self.keys.get(key).copied()
    }

    pub(super) fn by_claim(&self, claim: &str) -> Option<JobId> {
        self.claims.get(claim).copied()
    }

    /// Whether a job has reserved this file's name.
    pub(super) fn is_reserved(&self, output: &Path) -> bool {
        self.reserved.contains_key(output)
    }

    /// The reserved files in a folder whose names begin with `stem`, but for those of one job.
    pub(super) fn reserved_like(
        &self,
        folder: &Path,
        stem: &str,
        but: Option<JobId>,
    ) -> HashSet<PathBuf> {
        let is_like = |path: &Path| {
            let name = path.file_name().unwrap_or_default().as_encoded_bytes();
            path.parent() == Some(folder) && name.starts_with(stem.as_bytes())
        };
        let behind = self.reserved.range(folder.join(stem)..);
        let like = behind.take_while(|(path, _)| is_like(path));
        let others = like.filter(|(_, id)| Some(**id) != but);
        others.map(|(path, _)| path.clone()).collect()
    }

    /// Waiting jobs, by number.
    pub(super) fn queued(&self) -> &BTreeSet<JobId> {
        &self.queued
    }

    /// Running jobs, by number.
    pub(super) fn running(&self) -> &BTreeSet<JobId> {
        &self.running
    }
}
