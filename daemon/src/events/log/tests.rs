//! The log with its files as they are met in practice.

use framepack_ipc::event::Facts;
use framepack_jobs::JobId;
use tempfile::TempDir;

use super::*;
use crate::events::{Reader, Unread};

/// So small that a few events fill a file.
const SMALL: EventLimits = EventLimits {
    max_bytes: 8000,
    max_age: None,
};

fn opened(folder: &TempDir) -> EventLog {
    EventLog::open(folder.path(), SMALL, 0).unwrap()
}

fn event(kind: EventType, name: EventName, job: u64) -> Event {
    let facts = Facts {
        job: Some(JobId(job)),
        ..Facts::default()
    };
    Event::now(kind, name, facts)
}

/// Writes a change of its own for each of these jobs.
fn write(log: &mut EventLog, jobs: std::ops::RangeInclusive<u64>) {
    for job in jobs {
        let events = [event(EventType::Job, EventName::Queued, job)];
        log.note_change(job, Timestamp::now(), &events);
        log.write().unwrap();
    }
}

fn jobs(reader: &mut Reader) -> Vec<u64> {
    let mut jobs = Vec::new();
    loop {
        let lines = reader.next(3).unwrap();
        if lines.is_empty() {
            return jobs;
        }
        jobs.extend(
            lines
                .iter()
                .filter_map(|line| Some(line.event.facts.job?.0)),
        );
    }
}

fn files(folder: &TempDir) -> usize {
    segments(folder.path()).unwrap().len()
}

#[test]
fn what_is_written_is_read_behind_any_cursor_across_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = opened(&folder);
    let begin = log.view().now().cursor();
    write(&mut log, 1..=20);
    assert!(files(&folder) > 1);
    let mut reader = log.view().behind(&begin).unwrap();
    let mut cursors = Vec::new();
    for job in 1..=20 {
        let lines = reader.next(1).unwrap();
        assert_eq!(lines[0].event.facts.job, Some(JobId(job)));
        assert_eq!(lines[0].event.cursor, Some(reader.cursor()));
        cursors.push(reader.cursor());
    }
    for (n, cursor) in (1..).zip(&cursors) {
        let mut reader = log.view().behind(cursor).unwrap();
        assert_eq!(jobs(&mut reader), (n + 1..=20).collect::<Vec<_>>());
    }
    write(&mut log, 21..=21);
    assert_eq!(jobs(&mut reader), [21]);
}

#[test]
fn old_files_are_removed_and_who_would_miss_events_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = opened(&folder);
    let begin = log.view().now().cursor();
    write(&mut log, 1..=10);
    let mut slow = log.view().behind(&begin).unwrap();
    assert_eq!(slow.next(1).unwrap().len(), 1);
    write(&mut log, 11..=100);
    let bytes: u64 = segments(folder.path())
        .unwrap()
        .iter()
        .map(|file| fs::metadata(&file.path).unwrap().len())
        .sum();
    assert!(
        bytes <= SMALL.max_bytes + SMALL.max_bytes / SEGMENTS + 500,
        "{bytes}"
    );
    assert!(matches!(slow.next(3), Err(Unread::Gone(_))));
    assert!(matches!(log.view().behind(&begin), Err(Unread::Gone(_))));
    let mut kept = log
        .view()
        .since("2026-01-01T00:00:00.000000Z".parse().unwrap())
        .unwrap();
    let kept = jobs(&mut kept);
    assert_eq!(kept, (kept[0]..=100).collect::<Vec<_>>());
    assert!(kept[0] > 1 && kept[0] < 90, "{kept:?}");
}

#[test]
fn files_that_are_too_old_are_removed_when_the_next_one_begins() {
    let folder = tempfile::tempdir().unwrap();
    let limits = EventLimits {
        max_bytes: 8000,
        max_age: Some(Duration::ZERO),
    };
    let mut log = EventLog::open(folder.path(), limits, 0).unwrap();
    write(&mut log, 1..=20);
    assert!(files(&folder) <= 2, "{}", files(&folder));
}

#[test]
fn a_torn_end_is_written_again_and_what_is_there_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = opened(&folder);
    let begin = log.view().now().cursor();
    write(&mut log, 1..=4);
    drop(log);
    let path = segment_path(folder.path(), 1);
    let text = fs::read_to_string(&path).unwrap();
    let third = text.match_indices('\n').nth(3).unwrap().0;
    fs::write(&path, &text[..third - 5]).unwrap();
    let mut log = opened(&folder);
    assert_eq!(log.last_seq(), 2);
    // All that the journal has.
    write(&mut log, 1..=4);
    let cursors = |text: &str| {
        let parts = text.split("cursor").map(|part| part[..30].to_owned());
        parts.collect::<Vec<_>>()
    };
    assert_eq!(
        cursors(&fs::read_to_string(&path).unwrap())[1..],
        cursors(&text)[1..]
    );
    assert_eq!(jobs(&mut log.view().behind(&begin).unwrap()), [1, 2, 3, 4]);
}

#[test]
fn whether_the_farm_is_idle_is_remembered_across_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = opened(&folder);
    assert!(log.is_idle());
    log.note_other(event(EventType::Farm, EventName::Busy, 0));
    log.write().unwrap();
    write(&mut log, 1..=50);
    drop(log);
    let mut log = opened(&folder);
    assert!(!log.is_idle());
    log.note_other(event(EventType::Farm, EventName::Idle, 0));
    log.write().unwrap();
    assert!(opened(&folder).is_idle());
}

#[test]
fn cursors_of_another_log_and_of_later_events_are_foreign() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = opened(&folder);
    write(&mut log, 1..=1);
    let cursor = log.view().now().cursor();
    let later = cursor.replace("-1-0", "-2-0");
    for foreign in ["", "x-1-0", &later] {
        assert!(
            matches!(log.view().behind(foreign), Err(Unread::Foreign(_))),
            "{foreign}"
        );
    }
    fs::write(segment_path(folder.path(), 1), "noise\n").unwrap();
    let anew = opened(&folder);
    assert!(matches!(
        anew.view().behind(&cursor),
        Err(Unread::Foreign(_))
    ));
    let _ = fs::remove_dir_all(folder.path().with_extension("damaged"));
}
