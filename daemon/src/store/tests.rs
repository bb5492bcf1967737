//! The store with its files as they are met in practice.

use std::{
    fs,
    path::{Path, PathBuf},
};

use framepack_jobs::StateName;

use super::Store;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures");

/// A copy of a store that is checked in.
fn fixture(name: &str, to: &Path) -> PathBuf {
    let copy = to.join("store");
    fs::create_dir(&copy).unwrap();
    for entry in fs::read_dir(Path::new(FIXTURES).join(name)).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    copy
}

/// Written by framepackd 0.1.0 at schema 1, which was killed while job 5 ran. It has to open for ever.
#[test]
fn the_first_version_of_the_store_opens() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&fixture("store-v1", dir.path())).unwrap();
    let records = store.all().unwrap();
    let seen: Vec<(u64, &str, StateName, u32)> = records
        .iter()
        .map(|record| {
            let job = &record.job;
            (job.id.0, job.name.as_str(), job.state.name(), job.attempts)
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
    assert_eq!(seen, expected);
    assert_eq!(store.last_id().unwrap().0, 8);
    assert_eq!(records[1].job.key, "walk");
    assert_eq!(records[3].private.worker_deaths, 1);
    assert!(records[7].private.claim.is_some());
}
