//! What jobs that have ended left in the state directory goes after a time.

use std::{
    fs,
    time::{SystemTime, UNIX_EPOCH},
};

use framepack_jobs::StateName;
use serde_json::Value;

use crate::fixture::Farm;

/// So many hours ago, as records have it.
fn hours_ago(hours: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let then = now.as_secs() as i64 - hours * 3600;
    let then = jiff::Timestamp::from_second(then).unwrap();
    then.strftime("%Y-%m-%dT%H:%M:%S.000000Z").to_string()
}

impl Farm {
    /// Lets jobs have ended so many hours ago: their records are taken out, changed, and put back.
    fn age(&self, hours: &[(u64, i64)]) {
        let export = self.export();
        let mut lines = Vec::new();
        for line in fs::read_to_string(&export).unwrap().lines() {
            let mut record: Value = serde_json::from_str(line).unwrap();
            let job = &mut record["job"];
            if let Some((_, hours)) = hours.iter().find(|(id, _)| job["id"] == *id) {
                assert!(job["finished_at"].is_string(), "{job}");
                job["finished_at"] = hours_ago(*hours).into();
            }
            lines.push(record.to_string());
        }
        fs::write(&export, lines.join("\n")).unwrap();
        self.lose_store();
        self.state_text(&["import", export.to_str().unwrap()]);
    }
}

#[test]
fn old_jobs_leave_records_and_videos_and_nothing_else() {
    let mut farm = Farm::new();
    for (stem, prompt) in [
        ("ancient", "a cat"),
        ("old", "a dog"),
        ("failed", "oom"),
        ("young", "a bird"),
        ("last", "a fish"),
    ] {
        farm.drop_prompt(&format!("{stem}.yaml"), prompt);
        farm.report(stem);
    }
    farm.stop();
    farm.age(&[(1, 24 * 400), (2, 30), (3, 24 * 6), (5, 24 * 400)]);
    let work = |id: u64| farm.path(format!("state/work/{id}"));
    let log = |id: u64| farm.path(format!("state/logs/{id}.ndjson"));
    for id in 1..=5 {
        assert!(work(id).is_dir() && log(id).is_file(), "{id}");
    }
    let (work, log): (Vec<_>, Vec<_>) = (1..=5).map(|id| (work(id), log(id))).unzip();

    farm.configure("keep: {work_days: 1, logs_days: 2, max_jobs: never}\n");
    farm.start();
    farm.wait_until("the logs are gone, which come last", |_| {
        (!log[0].exists() && !log[4].exists()).then_some(())
    });
    let left: Vec<(bool, bool)> = work
        .iter()
        .zip(&log)
        .map(|(work, log)| (work.exists(), log.exists()))
        .collect();
    let expected = [
        (false, false),
        (false, true),
        // It may be tried again for seven days.
        (true, true),
        (true, true),
        // The highest number says which one is next, should the store be lost.
        (true, false),
    ];
    assert_eq!(left, expected);
    assert_eq!(farm.show("@done").len(), 4, "records stay");
    assert_eq!(farm.show("failed")[0].state.name(), StateName::Failed);
    assert_eq!(farm.outputs().len(), 4, "videos stay");
}

#[test]
fn only_the_latest_jobs_keep_what_they_left() {
    let mut farm = Farm::new();
    for (stem, prompt) in [("a", "a cat"), ("b", "a dog"), ("c", "a bird")] {
        farm.drop_prompt(&format!("{stem}.yaml"), prompt);
        farm.report(stem);
    }
    farm.stop();
    farm.configure("keep: {work_days: never, logs_days: never, max_jobs: 1}\n");
    farm.start();
    farm.wait_until("two logs are gone", |farm| {
        let logs = fs::read_dir(farm.path("state/logs")).unwrap();
        (logs.count() == 1).then_some(())
    });
    assert!(farm.path("state/logs/3.ndjson").exists());
    assert!(!farm.path("state/work/1").exists());
    assert!(farm.path("state/work/3").exists());
}
