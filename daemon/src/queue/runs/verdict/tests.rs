use super::*;
use crate::{
    queue::{
        Submission,
        runs::{WorkerReport, note_report},
    },
    record::{Kept, Record},
};

const NOW: &str = "2026-11-27T12:00:00.000000Z";

fn running() -> Record {
    let submission = Submission::of_keys("cat", "");
    let mut record = submission.into_record(JobId(1), "/v.mp4".into());
    start(&mut record);
    record
}

fn start(record: &mut Record) {
    record.job.runs.attempts += 1;
    record.job.runs.starts_without_progress += 1;
    record.job.state = JobState::Running {
        started_at: NOW.parse().unwrap(),
        device: "cpu".to_owned(),
        plan: None,
        progress: None,
        paused: false,
    };
}

/// The worker dies of this; the job's rung and how often its page-locked memory is halved after that.
fn died(record: &mut Record, kind: DeathKind) -> [u32; 2] {
    let death = Death {
        kind,
        how: "it died".to_owned(),
    };
    let circumstances = Circumstances {
        now: NOW.parse().unwrap(),
        energy_joules: None,
        foreign_bytes: None,
    };
    let state = after_run(record, Ending::WorkerDied(death), circumstances);
    record.job.state = state.unwrap();
    [record.job.runs.rung, record.private.host_rung]
}

#[test]
fn who_is_killed_for_want_of_memory_uses_less_of_it() {
    use DeathKind::{Crash, Hang, OutOfMemoryKill};
    for (rung, kind, expected) in [
        (0, Crash, [0, 0]),
        (2, Hang, [2, 0]),
        (0, OutOfMemoryKill, [1, 1]),
        (3, OutOfMemoryKill, [4, 1]),
        (4, OutOfMemoryKill, [5, 1]),
        (5, OutOfMemoryKill, [6, 1]),
        (6, OutOfMemoryKill, [6, 1]),
    ] {
        let mut record = running();
        record.job.runs.rung = rung;
        assert_eq!(died(&mut record, kind), expected, "{rung} {kind:?}");
    }
    let mut record = running();
    died(&mut record, OutOfMemoryKill);
    start(&mut record);
    assert_eq!(died(&mut record, OutOfMemoryKill), [2, 2]);
}

#[test]
fn steps_and_frames_are_getting_on() {
    let mut record = running();
    let kept = |record: &mut Record, sections, steps, pieces| {
        record.private.worker_deaths = 2;
        record.job.runs.starts_without_progress = 9;
        let kept = Kept {
            sections,
            steps,
            pieces,
        };
        note_report(record, WorkerReport::Kept(kept));
        let gets_on = record.private.worker_deaths == 0;
        assert_eq!(gets_on, record.job.runs.starts_without_progress == 0);
        gets_on
    };
    for (sections, steps, pieces, expected) in [
        (0, 4, 0, true),
        (0, 4, 0, false),
        (0, 9, 0, true),
        (0, 10, 1, true),
        (0, 10, 2, true),
        (0, 10, 2, false),
        (1, 0, 0, true),
        (1, 0, 0, false),
        (1, 10, 3, true),
        // Made again, because they were damaged.
        (1, 10, 1, false),
        (2, 0, 0, true),
    ] {
        let found = kept(&mut record, sections, steps, pieces);
        assert_eq!(found, expected, "{sections} {steps} {pieces}");
    }
    record.job.runs.starts_without_progress = MAX_LOST_STARTS - 1;
    assert!(matches!(
        lost(&record, NOW.parse().unwrap()),
        JobState::Queued
    ));
}
