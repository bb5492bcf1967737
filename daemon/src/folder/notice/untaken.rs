//! The files that are in the folder: since when, and why they are not taken.

use std::{
    collections::{BTreeMap, HashMap},
    ffi::{OsStr, OsString},
    time::Instant,
};

use tracing::warn;

use crate::folder::dropped::Wait;

/// What was seen in the folder and is not taken.
#[derive(Debug, Default)]
pub(super) struct Untaken {
    observations: HashMap<OsString, Observation>,
    /// What has not settled.
    unsettled: BTreeMap<OsString, Wait>,
    /// Files that can't be claimed, and why.
    troubles: BTreeMap<OsString, String>,
}

/// Since when a file has been seen, and when last.
#[derive(Debug, Clone, Copy)]
struct Observation {
    since: Instant,
    latest: Instant,
}

/// A file that is still in the folder.
#[derive(Debug)]
pub(crate) struct UntakenFile<'a> {
    pub(crate) since: Instant,
    pub(crate) name: &'a OsStr,
    pub(crate) why: &'a str,
}

impl Untaken {
    /// Notes that a file is in the folder. Whether that is new.
    pub(super) fn observe(&mut self, name: &OsStr, now: Instant) -> bool {
        if let Some(observation) = self.observations.get_mut(name) {
            observation.latest = now;
            return false;
        }
        let observation = Observation {
            since: now,
            latest: now,
        };
        self.observations.insert(name.to_owned(), observation);
        true
    }

    /// The end of a listing: what was not seen in it is not there any more.
    pub(super) fn listed(&mut self, now: Instant, unsettled: BTreeMap<OsString, Wait>) {
        let observations = &mut self.observations;
        observations.retain(|_, observation| observation.latest == now);
        self.troubles
            .retain(|name, _| observations.contains_key(name));
        self.unsettled = unsettled;
    }

    /// Notes a file that can't be taken; logged when the reason is new.
    pub(super) fn trouble(&mut self, name: OsString, why: String) {
        if self.troubles.get(&name) != Some(&why) {
            warn!(file = %name.display(), "{why}");
            self.troubles.insert(name, why);
        }
    }

    pub(super) fn no_trouble(&mut self, name: &OsStr) {
        self.troubles.remove(name);
    }

    pub(super) fn has(&self, name: &OsStr) -> bool {
        self.observations.contains_key(name)
    }

    /// Whether one of the files may settle soon.
    pub(super) fn is_unsettled(&self) -> bool {
        !self.unsettled.is_empty()
    }

    /// The files and why they are not taken: those that have not settled, then those that can't be taken.
    pub(super) fn reasons(&self) -> impl Iterator<Item = (&OsStr, &str)> + Clone {
        let unsettled = self.unsettled.iter();
        let unsettled = unsettled.map(|(name, wait)| (name.as_os_str(), wait.why.as_str()));
        let troubles = self.troubles.iter();
        unsettled.chain(troubles.map(|(name, why)| (name.as_os_str(), why.as_str())))
    }

    /// The same, the oldest first.
    pub(super) fn by_age(&self) -> Vec<UntakenFile<'_>> {
        let with_age = |(name, why)| {
            let since = self.observations.get(name)?.since;
            Some(UntakenFile { since, name, why })
        };
        let mut files: Vec<_> = self.reasons().filter_map(with_age).collect();
        files.sort_by_key(|file| file.since);
        files
    }
}
