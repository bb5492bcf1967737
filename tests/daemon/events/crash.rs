//! A daemon that is killed, at any moment.

use std::{collections::BTreeMap, fs};

use super::{names, parsed, text};
use crate::fixture::Farm;

#[test]
fn whoever_follows_a_daemon_that_is_killed_again_and_again_misses_nothing_and_hears_nothing_twice()
{
    let mut farm = Farm::new();
    let begin = farm.end_of_events();
    let follower = farm.follow_events(&["--since", &begin]);
    let stems: Vec<String> = (0..12).map(|n| format!("job{n}")).collect();
    for (n, stem) in stems.iter().enumerate() {
        farm.drop_prompt(&format!("{stem}.yaml"), &format!("prompt {n}"));
        // Somewhere between the drop and the end of the job: after another number of events each time.
        // At least one: a follower that never reached the daemon does not wait for it.
        let heard = (farm.followed().len() + n % 7).max(1);
        farm.wait_until("some events", |farm| {
            let is_over = farm.show(stem).pop().is_some_and(|job| job.is_finished());
            let followed = farm.followed().len();
            (followed >= heard || (is_over && followed > 0)).then_some(())
        });
        farm.kill();
        farm.start();
    }
    for stem in &stems {
        assert_eq!(farm.report(stem).0, "done", "{stem}");
    }
    let end = farm.end_of_events();
    farm.wait_until("the follower is up to date", |farm| {
        let last = farm.followed().pop()?;
        (text(&last, "cursor") == end || farm.end_of_events() != end).then_some(())
    });
    let log = farm.events(&["--since", &begin]);
    let followed = farm.wait_until("the follower has the whole log", |farm| {
        let followed = farm.followed();
        (followed.len() >= log.len()).then_some(followed)
    });
    drop(follower);
    assert_eq!(followed[..log.len()], log);
    let notes = fs::read_to_string(farm.path("notes")).unwrap();
    assert!(notes.contains("connected to the daemon again"), "{notes}");

    let mut done: BTreeMap<u64, u32> = BTreeMap::new();
    let mut queued = done.clone();
    for event in log.iter().map(|line| parsed(line)) {
        let Some(job) = event["job"].as_u64() else {
            continue;
        };
        let count = match event["event"].as_str() {
            Some("done") => &mut done,
            Some("queued") => &mut queued,
            _ => continue,
        };
        *count.entry(job).or_default() += 1;
    }
    let once: BTreeMap<u64, u32> = (1..=12).map(|job| (job, 1)).collect();
    assert_eq!(done, once);
    assert_eq!(queued.len(), 12);
    let starts = names(&log)
        .iter()
        .filter(|name| *name == "starting")
        .count();
    assert_eq!(starts, 12);
}

#[test]
fn what_a_power_failure_takes_of_the_log_is_told_again_under_the_same_cursor() {
    let mut farm = Farm::new();
    farm.drop_prompt("cat.yaml", "a cat");
    farm.report("cat");
    farm.wait_for_event("idle", "1h");
    let before = farm.events(&["--since", "1h"]);
    farm.kill();
    // The log has no sync of its own for what happens to jobs: its end may be gone, to the middle of a line.
    let log = farm.path("state/events/000001.ndjson");
    let text = fs::read_to_string(&log).unwrap();
    let lost = text.find(r#""event":"section""#).unwrap();
    fs::write(&log, &text[..lost]).unwrap();
    farm.start();
    let job = |lines: Vec<String>| -> Vec<String> {
        let mut lines = lines;
        lines.retain(|line| line.contains(r#""type":"job""#));
        lines
    };
    assert_eq!(job(farm.events(&["--since", "1h"])), job(before));
}
