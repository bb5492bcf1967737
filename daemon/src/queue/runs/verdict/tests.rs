use framepack_jobs::{Part, Partial, RenderOutput, StateName};

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

/// How a run ends of a job that is to end with so many sections.
fn ends_with_sections(sections: u32, ending: Ending) -> JobState {
    let mut record = running();
    record.job.runs.keep_sections = true;
    record.job.runs.sections_done = sections;
    let circumstances = Circumstances {
        now: NOW.parse().unwrap(),
        energy_joules: None,
        foreign_bytes: None,
    };
    after_run(&mut record, ending, circumstances).unwrap()
}

#[test]
fn a_job_ends_cancelled_with_the_part_that_was_made_of_it() {
    let made = |partial| {
        Ending::Done(Box::new(RenderOutput {
            partial,
            ..RenderOutput::default()
        }))
    };
    let part = Partial {
        part: Part::End,
        sections: 2,
        of_sections: 4,
        frames: 69,
        secs: 2.3,
        of_secs: 4.8,
    };
    let state = ends_with_sections(2, made(Some(part.clone())));
    assert_eq!(state.name(), StateName::Cancelled);
    assert_eq!(state.result().unwrap().partial, Some(part));
    // All sections were there, and only the video was missing.
    assert_eq!(ends_with_sections(4, made(None)).name(), StateName::Done);
}

#[test]
fn a_job_that_is_to_end_with_its_sections_waits_for_the_run_that_makes_the_video() {
    let death = || Death {
        kind: DeathKind::Crash,
        how: "it died".to_owned(),
    };
    for (sections, ending, expected) in [
        (1, Ending::Suspended, StateName::Queued),
        (0, Ending::Suspended, StateName::Cancelled),
        (1, Ending::Interrupted, StateName::Queued),
        (0, Ending::Interrupted, StateName::Cancelled),
        (1, Ending::WorkerDied(death()), StateName::Queued),
        // Its worker found none that it can use.
        (1, Ending::Cancelled, StateName::Cancelled),
    ] {
        let said = format!("{sections} {ending:?}");
        assert_eq!(
            ends_with_sections(sections, ending).name(),
            expected,
            "{said}"
        );
    }
    let mut record = running();
    record.job.runs.keep_sections = true;
    let now = NOW.parse().unwrap();
    assert_eq!(lost(&record, now).name(), StateName::Cancelled);
    record.job.runs.sections_done = 1;
    assert_eq!(lost(&record, now).name(), StateName::Queued);
}
