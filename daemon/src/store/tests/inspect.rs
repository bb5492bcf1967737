//! Looking at a store that no daemon has open.

use std::fs;

use super::State;
use crate::store::inspect;

#[tokio::test]
async fn a_sound_store_is_seen_as_it_is_and_stays_so() {
    let state = State::second_version();
    state.write(3).await;
    let journal = fs::read(state.file("journal/000001.ndjson")).unwrap();
    for _ in 0..2 {
        let seen = inspect(&state.location()).unwrap();
        assert_eq!(seen.report.problems, [""; 0]);
        assert_eq!((seen.report.jobs, seen.report.seq), (10, 55));
        assert_eq!(seen.records, state.open().1);
    }
    assert_eq!(
        fs::read(state.file("journal/000001.ndjson")).unwrap(),
        journal
    );
}

#[test]
fn a_store_of_the_first_version_is_sound_before_it_has_a_journal() {
    let state = State::first_version();
    let seen = inspect(&state.location()).unwrap();
    assert_eq!(seen.report.problems, [""; 0]);
    assert_eq!(seen.records.len(), 8);
    assert!(!state.file("journal").exists(), "nothing is written");
}

#[tokio::test]
async fn a_store_of_an_earlier_time_shows_the_journals_records() {
    let state = State::second_version();
    let earlier = State::second_version();
    state.write(4).await;
    fs::remove_dir_all(state.file("store")).unwrap();
    fs::rename(earlier.file("store"), state.file("store")).unwrap();
    let seen = inspect(&state.location()).unwrap();
    assert_eq!(
        seen.report.problems,
        ["the store lacks 1 records that the journal has"]
    );
    assert_eq!(seen.records[0].job.runs.attempts, 5);
    assert!(!state.file("damaged").exists(), "nothing is repaired");
}

#[test]
fn what_the_journal_has_is_seen_without_a_store_or_without_room_for_it() {
    let mut state = State::second_version();
    state.floor_bytes = 1 << 60;
    let seen = inspect(&state.location()).unwrap();
    assert_eq!(seen.records.len(), 10);
    assert!(seen.report.problems[0].contains("MiB free"));
    fs::remove_dir_all(state.file("store")).unwrap();
    let seen = inspect(&state.location()).unwrap();
    assert_eq!(seen.records.len(), 10);
    assert!(seen.report.problems[0].contains("the journal has 10 jobs"));
    assert!(!state.file("store").exists(), "nothing is repaired");
}

#[test]
fn a_damaged_store_shows_what_the_journal_has() {
    let state = State::second_version();
    fs::write(state.file("store/db"), vec![0xa5; 100_000]).unwrap();
    let seen = inspect(&state.location()).unwrap();
    assert_eq!(seen.records.len(), 10);
    assert_eq!(seen.report.problems.len(), 1);
    assert!(!state.file("damaged").exists(), "nothing is repaired");
}
