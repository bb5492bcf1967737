//! What changes of a job are told as.

use framepack_ipc::event::EventName::{
    self, Done, Expired, Failed, Held, Paused, Queued, Released, Resumed, Retrying, Section,
    Started, Suspended,
};
use framepack_jobs::{Code, Failure, JobId, JobState, RenderOutput, Timestamp};

use crate::{events::ToldJobs, queue::Submission, record::Record};

const NOW: &str = "2026-11-27T12:00:00.000000Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn run(record: &mut Record) {
    record.job.state = JobState::Running {
        started_at: now(),
        device: "cpu".to_owned(),
        plan: None,
        progress: None,
        paused: false,
    };
    record.job.runs.retry_at = None;
    record.job.runs.suspended_until = None;
}

fn halt(record: &mut Record, is_halted: bool) {
    if let JobState::Running { paused, .. } = &mut record.job.state {
        *paused = is_halted;
    }
}

fn queue(record: &mut Record) {
    record.job.state = JobState::Queued;
}

fn fail(record: &mut Record) {
    record.job.state = JobState::Failed {
        finished_at: now(),
        failure: Failure::new(Code::NOT_A_NUMBER, "latents hold NaN"),
    };
}

/// Makes these changes of a new job, and says what each is told as.
fn told(changes: &[&dyn Fn(&mut Record)]) -> Vec<Vec<EventName>> {
    let submission = Submission::of_keys("cat", "");
    let mut record = submission.into_record(JobId(1), "/v.mp4".into());
    let mut told = ToldJobs::default();
    let mut names = |record: &Record| {
        let events = told.note(record).into_iter();
        events.map(|event| event.event).collect::<Vec<_>>()
    };
    let mut all = vec![names(&record)];
    for change in changes {
        change(&mut record);
        all.push(names(&record));
    }
    all
}

#[test]
fn a_job_from_its_queueing_to_its_end() {
    let section: &dyn Fn(&mut Record) = &|record| record.job.runs.sections_done += 1;
    let done: &dyn Fn(&mut Record) = &|record| {
        record.job.state = JobState::Done {
            started_at: now(),
            finished_at: now(),
            result: Box::new(RenderOutput::default()),
        };
    };
    let nothing: &dyn Fn(&mut Record) = &|record| record.job.warnings.push("odd".to_owned());
    assert_eq!(
        told(&[nothing, &run, section, nothing, done, nothing]),
        [
            vec![Queued],
            vec![],
            vec![Started],
            vec![Section],
            vec![],
            vec![Done],
            vec![]
        ]
    );
}

#[test]
fn a_run_that_fails_is_told_once_though_its_record_changes_twice() {
    let count: &dyn Fn(&mut Record) = &|record| record.job.runs.retries += 1;
    let die: &dyn Fn(&mut Record) = &|record| record.private.worker_deaths += 1;
    assert_eq!(
        told(&[
            &run, count, &queue, &run, die, &queue, &run, &queue, &fail, &queue
        ]),
        [
            vec![Queued],
            vec![Started],
            vec![],
            vec![Retrying],
            vec![Started],
            vec![],
            vec![Retrying],
            vec![Started],
            vec![Queued],
            vec![Failed],
            vec![Queued]
        ]
    );
}

#[test]
fn holding_pausing_and_windows() {
    let hold: &dyn Fn(&mut Record) = &|record| record.job.runs.held = true;
    let release: &dyn Fn(&mut Record) = &|record| record.job.runs.held = false;
    let pause: &dyn Fn(&mut Record) = &|record| halt(record, true);
    let resume: &dyn Fn(&mut Record) = &|record| halt(record, false);
    let suspend: &dyn Fn(&mut Record) = &|record| {
        record.job.runs.suspended_until = Some(now());
        queue(record);
    };
    let expire: &dyn Fn(&mut Record) = &|record| {
        record.job.state = JobState::Expired {
            finished_at: now(),
            failure: Failure::new(Code::NOT_A_NUMBER, "too late"),
        };
    };
    assert_eq!(
        told(&[
            hold, release, &run, pause, resume, hold, &queue, release, &run, suspend, expire
        ]),
        [
            vec![Queued],
            vec![Held],
            vec![Released],
            vec![Started],
            vec![Paused],
            vec![Resumed],
            // What is asked of a running job is told when it is done.
            vec![],
            vec![Paused],
            vec![Released],
            vec![Started],
            vec![Suspended],
            vec![Expired]
        ]
    );
}

#[test]
fn jobs_that_were_imported_are_told_of_if_they_are_queued() {
    let submission = Submission::of_keys("cat", "");
    let mut record = submission.into_record(JobId(1), "/v.mp4".into());
    fail(&mut record);
    assert!(ToldJobs::default().note(&record).is_empty());
}
