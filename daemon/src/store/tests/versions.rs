//! Stores that earlier versions wrote: they have to open for ever.

use std::{fs, path::Path};

use framepack_jobs::{JobId, StateName};
use serde_json::Value;

use super::{FIXTURES, State, assert_repaired};
use crate::{
    record::Record,
    store::{Store, inspect, location::copy_folder},
};

impl State {
    /// A state directory with journal, ten jobs and a paused group.
    pub(super) fn second_version() -> Self {
        let state = Self::empty();
        copy_folder(&Path::new(FIXTURES).join("store-v2"), state.dir.path()).unwrap();
        state
    }
}

/// Written by framepackd 0.1.0 at schema 1, which was killed while job 5 ran. It has to open for ever.
#[test]
fn the_first_version_of_the_store_opens() {
    let state = State::first_version();
    for opening in ["the first", "the second"] {
        let (store, records) = state.open();
        let seen: Vec<(u64, &str, StateName, u32)> = records
            .iter()
            .map(|record| {
                let job = &record.job;
                (
                    job.id.0,
                    job.name.as_str(),
                    job.state.name(),
                    job.runs.attempts,
                )
            })
            .collect();
        let expected = [
            (1, "done-folder", StateName::Done, 1),
            (2, "done-submitted", StateName::Done, 1),
            (3, "failed", StateName::Failed, 1),
            (4, "crashed-once", StateName::Done, 2),
            (5, "running", StateName::Running, 1),
            (6, "cancelled", StateName::Cancelled, 0),
            (7, "queued", StateName::Queued, 0),
            (8, "queued-folder", StateName::Queued, 0),
        ];
        assert_eq!(seen, expected, "{opening}");
        assert_eq!(store.last_id(), JobId(8));
        assert_eq!(records[1].job.key, "walk");
        assert_eq!(records[3].private.worker_deaths, 1);
        assert!(records[7].private.claim.is_some());
        assert_repaired(&store, &[]);
    }
}

/// Written at schema 2 by a framepackd that was killed while job 6 ran; `records.ndjson` is its export.
#[tokio::test]
async fn the_second_version_of_the_store_opens() {
    let state = State::second_version();
    for opening in ["the first", "the second"] {
        let (store, records) = state.open();
        assert_second_version(&store, &records);
        assert_repaired(&store, &[]);
        let report = store.view().check().await.unwrap();
        assert_eq!(report.seq, 52, "{opening}");
    }
}

#[test]
fn the_second_version_of_the_store_is_rebuilt_from_its_journal() {
    let state = State::second_version();
    fs::remove_dir_all(state.file("store")).unwrap();
    let (store, records) = state.open();
    assert_second_version(&store, &records);
    assert_repaired(&store, &["10 jobs were restored from the journal"]);
}

#[test]
fn the_second_version_of_the_store_does_without_its_journal() {
    let state = State::second_version();
    fs::remove_dir_all(state.file("journal")).unwrap();
    let seen = inspect(&state.location()).unwrap();
    assert_eq!(
        seen.report.problems,
        ["the journal lacks 10 jobs that the store has"]
    );
    let (store, records) = state.open();
    assert_second_version(&store, &records);
}

fn assert_second_version(store: &Store, records: &[Record]) {
    use StateName::{Cancelled, Done, Expired, Failed, Queued, Running};
    let states: Vec<StateName> = records
        .iter()
        .map(|record| record.job.state.name())
        .collect();
    let expected = [
        Done, Done, Failed, Done, Expired, Running, Cancelled, Queued, Queued, Queued,
    ];
    assert_eq!(states, expected);
    assert_eq!(store.last_id(), JobId(10));
    let pauses: Value = store.note("pauses").unwrap().unwrap();
    assert_eq!(pauses["groups"][0], "night");
    let export = fs::read_to_string(Path::new(FIXTURES).join("store-v2/records.ndjson")).unwrap();
    assert_eq!(export.lines().count(), records.len());
    for (line, record) in export.lines().zip(records) {
        let written: Value = serde_json::from_str(line).unwrap();
        assert_has(&serde_json::to_value(record).unwrap(), &written, "record");
    }
}

/// That everything that was written is there; later versions may have more.
#[track_caller]
fn assert_has(found: &Value, written: &Value, at: &str) {
    match written {
        Value::Object(fields) => {
            for (name, value) in fields {
                assert_has(&found[name], value, &format!("{at}.{name}"));
            }
        }
        Value::Array(items) => {
            assert_eq!(found.as_array().map(Vec::len), Some(items.len()), "{at}");
            for (index, item) in items.iter().enumerate() {
                assert_has(&found[index], item, &format!("{at}[{index}]"));
            }
        }
        scalar => assert_eq!(found, scalar, "{at}"),
    }
}
