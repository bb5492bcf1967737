//! Which files of a folder that is only read were taken: a list that outlives the daemon.
//!
//! A file is known by device, inode, time of its last change and the SHA-256 of its content, as long as all four stay.
//! A line a file; the list grows by some 130 bytes with each.

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File},
    io::{self, Write},
    path::PathBuf,
};

use sha2::{Digest, Sha256};

use crate::file::FileState;

/// The list.
#[derive(Debug)]
pub(super) struct Ledger {
    path: PathBuf,
    /// The keys of all files that were taken, each as the id of its claim.
    taken: HashSet<String>,
    /// The latest claim of each state of a file, by what `stat(2)` tells of it.
    states: HashMap<String, String>,
    /// States whose content was found to be the one that was taken, so that each is read once.
    confirmed: HashSet<String>,
    /// Lines that are not on the disk yet.
    unwritten: String,
}

/// A state of a file, as one word.
fn word(state: &FileState) -> String {
    let ((device, inode), (secs, nanos)) = (state.inode, state.ctime);
    format!("{device}:{inode}:{secs}.{nanos:09}")
}

/// What names the claim of this content in this state: the first 16 hexadecimal digits of the key's SHA-256.
fn claim_id(state: &str, sha256: &str) -> String {
    let digest = Sha256::digest(format!("{state}:{sha256}"));
    format!("{digest:x}")[..16].to_owned()
}

impl Ledger {
    /// Reads the list. `claimed`: ids of claims that may be missing in it, if the last daemon died at that moment.
    pub(super) fn open(
        path: PathBuf,
        claimed: impl IntoIterator<Item = String>,
    ) -> io::Result<Self> {
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let mut ledger = Self {
            path,
            taken: claimed.into_iter().collect(),
            states: HashMap::new(),
            confirmed: HashSet::new(),
            unwritten: String::new(),
        };
        // What a crash cut off is no line: its file is still claimed, or is taken again as the same claim.
        for line in text.split_inclusive('\n') {
            if let Some((id, state)) = line
                .strip_suffix('\n')
                .and_then(|line| line.split_once(' '))
            {
                ledger.know(id, state);
            } else {
                ledger.unwritten.push('\n');
            }
        }
        Ok(ledger)
    }

    /// Whether this file was taken; `sha256` is asked once for each state of it.
    pub(super) fn has(
        &mut self,
        state: &FileState,
        sha256: impl FnOnce() -> Option<String>,
    ) -> bool {
        let state = word(state);
        let Some(id) = self.states.get(&state) else {
            return false;
        };
        if self.confirmed.contains(&state) {
            return true;
        }
        let is_same = sha256().is_some_and(|sha256| claim_id(&state, &sha256) == *id);
        if is_same {
            self.confirmed.insert(state);
        }
        is_same
    }

    /// The id for a claim of this content; `None` if it was taken before.
    pub(super) fn id_for(&mut self, state: &FileState, sha256: &str) -> Option<String> {
        let id = claim_id(&word(state), sha256);
        if !self.taken.contains(&id) {
            return Some(id);
        }
        self.note(state, &id);
        None
    }

    /// Notes that this file is taken. Durable after [`Self::sync`].
    pub(super) fn note(&mut self, state: &FileState, id: &str) {
        let state = word(state);
        self.know(id, &state);
        self.unwritten.extend([id, " ", &state, "\n"]);
        self.confirmed.insert(state);
    }

    fn know(&mut self, id: &str, state: &str) {
        self.taken.insert(id.to_owned());
        self.states.insert(state.to_owned(), id.to_owned());
    }

    /// Makes what was noted durable.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if self.unwritten.is_empty() {
            return Ok(());
        }
        let mut file = File::options().create(true).append(true).open(&self.path)?;
        file.write_all(self.unwritten.as_bytes())?;
        file.sync_all()?;
        self.unwritten.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn state(path: &Path) -> FileState {
        FileState::from(&path.metadata().unwrap())
    }

    #[test]
    fn rule_16_a_file_is_known_by_its_state_and_its_content() {
        let dir = tempfile::tempdir().unwrap();
        let (path, list) = (dir.path().join("a.yaml"), dir.path().join("taken"));
        fs::write(&path, "a: 1\n").unwrap();
        let was = state(&path);
        let mut ledger = Ledger::open(list.clone(), []).unwrap();
        assert!(!ledger.has(&was, || panic!("nothing is known of it")));
        let id = ledger.id_for(&was, "one").unwrap();
        ledger.note(&was, &id);
        ledger.sync().unwrap();
        drop(ledger);

        let mut ledger = Ledger::open(list, []).unwrap();
        assert!(
            !ledger.has(&was, || Some("two".to_owned())),
            "other content"
        );
        assert!(ledger.has(&was, || Some("one".to_owned())));
        assert!(ledger.has(&was, || panic!("it was read already")));
        assert_eq!(ledger.id_for(&was, "one"), None);
        assert_ne!(ledger.id_for(&was, "two"), None);
        fs::rename(&path, dir.path().join("b.yaml")).unwrap();
        fs::write(&path, "a: 1\n").unwrap();
        let replaced = state(&path);
        assert!(
            !ledger.has(&replaced, || Some("one".to_owned())),
            "another state"
        );
    }

    #[test]
    fn rule_16_a_line_that_a_crash_cut_off_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.yaml");
        fs::write(&path, "a: 1\n").unwrap();
        let (was, list) = (state(&path), dir.path().join("taken"));
        fs::write(&list, "0123456789abcdef 1:2:3.000000004\n01234567").unwrap();
        let mut ledger = Ledger::open(list.clone(), []).unwrap();
        let id = ledger.id_for(&was, "one").unwrap();
        ledger.note(&was, &id);
        ledger.sync().unwrap();
        assert!(
            Ledger::open(list.clone(), [])
                .unwrap()
                .has(&was, || Some("one".to_owned()))
        );

        // The copy was there before the line was.
        fs::remove_file(&list).unwrap();
        let mut ledger = Ledger::open(list, [id]).unwrap();
        assert_eq!(ledger.id_for(&was, "one"), None);
        assert!(ledger.has(&was, || panic!("just seen")));
    }
}
