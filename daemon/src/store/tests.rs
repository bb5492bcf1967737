//! The store with its files as they are met in practice.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use framepack_jobs::{JobId, JobState, StateName, Timestamp};
use tempfile::TempDir;

mod inspect;
mod versions;

use super::{Location, Opening, Store, StoreError, journal::Journal};
use crate::{events::EventLimits, record::Record};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures");

/// A state directory of the first version, with eight jobs and no journal.
struct State {
    dir: TempDir,
    floor_bytes: u64,
}

impl State {
    fn empty() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            floor_bytes: 0,
        }
    }

    fn first_version() -> Self {
        let state = Self::empty();
        let store = state.location().database();
        fs::create_dir(&store).unwrap();
        for entry in fs::read_dir(Path::new(FIXTURES).join("store-v1")).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), store.join(entry.file_name())).unwrap();
        }
        state
    }

    fn location(&self) -> Location {
        Location {
            state: self.dir.path().to_owned(),
            floor_bytes: self.floor_bytes,
            is_used: true,
            event_limits: EventLimits {
                max_bytes: 64 << 20,
                max_age: None,
            },
        }
    }

    fn open(&self) -> (Store, Vec<Record>) {
        Store::open(&self.location(), Opening::Careful).unwrap()
    }

    fn fails(&self) -> StoreError {
        Store::open(&self.location(), Opening::Careful).unwrap_err()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Changes one job so many times, each change in a commit of its own.
    async fn write(&self, changes: u32) {
        let (mut store, mut records) = self.open();
        for _ in 0..changes {
            records[0].job.runs.attempts += 1;
            store.put(&records[0], Vec::new());
            store.commit().await.unwrap();
        }
    }
}

fn states(records: &[Record]) -> Vec<(u64, StateName)> {
    records
        .iter()
        .map(|record| (record.job.id.0, record.job.state.name()))
        .collect()
}

/// Zeros in the middle of the journal's last file.
fn damage_middle_of_journal(state: &State) {
    let files = fs::read_dir(state.file("journal")).unwrap();
    let path = files.map(|entry| entry.unwrap().path()).max().unwrap();
    let mut text = fs::read(&path).unwrap();
    let middle = text.len() / 2;
    text[middle..middle + 64].fill(0);
    fs::write(&path, text).unwrap();
}

#[track_caller]
fn assert_repaired(store: &Store, words: &[&str]) {
    let repairs = store.view().repairs();
    let messages: Vec<&str> = repairs.iter().map(|note| &*note.message).collect();
    assert_eq!(messages.len(), words.len(), "{messages:?}");
    for (message, word) in messages.iter().zip(words) {
        assert!(message.contains(word), "{messages:?}");
    }
}

#[tokio::test]
async fn changes_are_there_after_a_commit_and_only_then() {
    let state = State::first_version();
    let (mut store, mut records) = state.open();
    records[6].job.state = JobState::cancelled(Timestamp::now());
    store.put(&records[6], Vec::new());
    store.commit().await.unwrap();
    let mut new = records[7].clone();
    new.job.id = JobId(9);
    store.put(&new, Vec::new());
    drop(store);
    let (store, records) = state.open();
    let expected = [(7, StateName::Cancelled), (8, StateName::Queued)];
    assert_eq!(states(&records)[6..], expected);
    assert_eq!(store.last_id(), JobId(8));
}

#[tokio::test]
async fn a_job_that_was_taken_back_is_gone_and_its_number_is_not_given_out_again() {
    let state = State::first_version();
    let (mut store, records) = state.open();
    let mut new = records[7].clone();
    new.job.id = JobId(9);
    store.put(&new, Vec::new());
    store.take_back(JobId(9));
    store.commit().await.unwrap();
    drop(store);
    let (store, records) = state.open();
    assert_eq!(records.len(), 8);
    assert_eq!(store.last_id(), JobId(9));
}

#[test]
fn too_little_space_keeps_the_store_closed_and_untouched() {
    let mut state = State::first_version();
    state.floor_bytes = 1 << 60;
    let error = state.fails();
    assert!(matches!(error, StoreError::NoSpace { .. }), "{error}");
    assert_eq!(error.note().code, "FP4003");
    assert!(!state.file("journal").exists());
    state.floor_bytes = 0;
    assert_eq!(state.open().1.len(), 8);
}

#[tokio::test]
async fn a_truncated_snapshot_and_a_stray_one_are_moved_away() {
    for name in ["snap.FFFFFFFFFFFFFF00", "snap.FFFFFFFFFFFFFF00.generating"] {
        let state = State::first_version();
        state.write(3).await;
        fs::write(
            state.file("store").join(name),
            "the snapshot ended too early",
        )
        .unwrap();
        let (store, records) = state.open();
        assert_eq!(records[0].job.runs.attempts, 4, "{name}");
        assert_repaired(&store, &["until its snapshot was removed"]);
        let copies = fs::read_dir(state.file("damaged")).unwrap().count();
        assert_eq!(copies, 1);
    }
}

/// sled alone opens without the last changes here, and says nothing.
#[tokio::test]
async fn what_zeros_in_the_log_took_away_comes_back_from_the_journal() {
    let state = State::first_version();
    state.write(200).await;
    let log = state.file("store/db");
    let length = fs::metadata(&log).unwrap().len();
    let file = File::options().write(true).open(&log).unwrap();
    file.write_all_at(&[0; 64], length * 2 / 3).unwrap();
    drop(file);
    let (store, records) = state.open();
    assert_eq!(records.len(), 8);
    assert_eq!(records[0].job.runs.attempts, 201);
    assert!(!store.view().repairs().is_empty());
    assert_eq!(store.view().repairs()[0].code, "FP4001");
    drop(store);
    let (store, records) = state.open();
    assert_eq!(records[0].job.runs.attempts, 201);
    assert!(
        !store.view().repairs().is_empty(),
        "until it is acknowledged"
    );
    store.view().acknowledge().unwrap();
    drop(store);
    assert_repaired(&state.open().0, &[]);
}

#[tokio::test]
async fn a_log_of_an_earlier_time_is_brought_up_to_date_from_the_journal() {
    let state = State::first_version();
    state.write(5).await;
    let earlier = fs::read(state.file("store/db")).unwrap();
    state.write(75).await;
    fs::write(state.file("store/db"), earlier).unwrap();
    for entry in fs::read_dir(state.file("store")).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().contains("snap.") {
            fs::remove_file(path).unwrap();
        }
    }
    let (store, records) = state.open();
    assert_eq!(records[0].job.runs.attempts, 81);
    assert!(!store.view().repairs().is_empty());
}

#[tokio::test]
async fn a_missing_store_is_rebuilt_from_the_journal() {
    let state = State::first_version();
    state.write(2).await;
    fs::remove_dir_all(state.file("store")).unwrap();
    let (store, records) = state.open();
    assert_eq!(records.len(), 8);
    assert_eq!(records[0].job.runs.attempts, 3);
    assert_eq!(store.last_id(), JobId(8));
    assert_repaired(&store, &["8 jobs were restored from the journal"]);
}

#[tokio::test]
async fn a_store_of_nonsense_is_rebuilt_from_the_journal_and_kept() {
    let state = State::first_version();
    state.write(2).await;
    fs::write(state.file("store/db"), vec![0xa5; 100_000]).unwrap();
    let (store, records) = state.open();
    assert_eq!(records[0].job.runs.attempts, 3);
    assert!(!store.view().repairs().is_empty());
    let copy = fs::read_dir(state.file("damaged")).unwrap().next().unwrap();
    let kept = fs::read(copy.unwrap().path().join("store/db")).unwrap();
    assert_eq!(kept, vec![0xa5; 100_000]);
}

#[tokio::test]
async fn a_damaged_store_with_a_damaged_journal_is_opened_only_when_a_user_says_so() {
    let state = State::first_version();
    state.write(9).await;
    damage_middle_of_journal(&state);
    fs::write(state.file("store/db"), vec![0xa5; 100_000]).unwrap();
    let error = state.fails();
    assert!(error.to_string().contains("jobs may be missing"), "{error}");
    assert_eq!(error.note().code, "FP4004");
    let (store, records) = Store::open(&state.location(), Opening::Forced).unwrap();
    assert_eq!(records.len(), 8);
    let notes = store.view().repairs();
    assert!(notes.iter().any(|note| note.code == "FP4005"), "{notes:?}");
}

#[tokio::test]
async fn notes_that_cannot_be_read_are_set_aside() {
    let state = State::first_version();
    fs::write(state.file("notes.json"), "garbage").unwrap();
    let (mut store, _) = state.open();
    assert_repaired(&store, &["pauses of the queue and of groups were lost"]);
    store.put_note("paused", &true);
    store.commit().await.unwrap();
    drop(store);
    assert_eq!(state.open().0.note::<bool>("paused").unwrap(), Some(true));
}

#[tokio::test]
async fn a_missing_journal_is_rewritten_from_the_store() {
    let state = State::first_version();
    state.write(2).await;
    fs::remove_dir_all(state.file("journal")).unwrap();
    let (store, records) = state.open();
    assert_eq!(records[0].job.runs.attempts, 3);
    assert_repaired(&store, &["the journal lacked"]);
    drop(store);
    fs::remove_dir_all(state.file("store")).unwrap();
    assert_eq!(state.open().1.len(), 8);
}

#[tokio::test]
async fn damage_in_the_journal_costs_nothing_while_the_store_is_sound() {
    let state = State::first_version();
    state.write(9).await;
    damage_middle_of_journal(&state);
    let (store, records) = state.open();
    assert_eq!(records[0].job.runs.attempts, 10);
    assert_repaired(&store, &["lines of the journal could not be read"]);
    drop(store);
    fs::remove_dir_all(state.file("store")).unwrap();
    assert_eq!(state.open().1[0].job.runs.attempts, 10);
}

#[tokio::test]
async fn an_unfinished_last_line_is_what_a_crash_leaves_and_no_repair() {
    let state = State::first_version();
    state.write(1).await;
    let (_, contents) = Journal::open(&state.location().journal()).unwrap();
    let path = fs::read_dir(state.file("journal"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .max()
        .unwrap();
    let mut text = fs::read(&path).unwrap();
    text.extend_from_slice(b"{\"seq\":99,\"at\":\"2026");
    fs::write(&path, text).unwrap();
    state.write(1).await;
    let (store, records) = state.open();
    assert_eq!(records[0].job.runs.attempts, 3);
    assert_repaired(&store, &[]);
    let (_, after) = Journal::open(&state.location().journal()).unwrap();
    assert_eq!((after.seq, after.damaged_lines), (contents.seq + 1, 0));
}

#[test]
fn a_state_directory_that_lost_everything_says_so_and_gives_no_number_out_twice() {
    let state = State::empty();
    fs::create_dir_all(state.file("work/12")).unwrap();
    let (store, records) = state.open();
    assert!(records.is_empty());
    assert_eq!(store.last_id(), JobId(12));
    assert_eq!(store.view().repairs()[0].code, "FP4005");
}
