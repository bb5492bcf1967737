//! Pausing: in place before a step, and at a section's checkpoint.

use framepack_ipc::worker::{FromWorker, PauseAt, Phase, PlanOutcome, ToWorker};
use framepack_jobs::{JobId, Model};

use crate::{
    renders::brief,
    resume::fresh,
    worker::{Desk, Worker},
};

const JOB: JobId = JobId(1);

fn is_step(message: &FromWorker) -> bool {
    matches!(message, FromWorker::Progress { progress, .. } if progress.phase == Phase::Sample && progress.step > 0)
}

#[test]
fn a_paused_job_stands_still_answers_and_goes_on_as_if_nothing_had_been() {
    let desk = Desk::new();
    let mut worker = Worker::ready(desk.path());
    let request = brief(desk.request(Model::Original, 2));
    let undisturbed = worker.render(&request).latents_sha256;

    let again = brief(desk.request(Model::Original, 2));
    let work_dir = desk.path().join("again");
    std::fs::create_dir(&work_dir).unwrap();
    let again = framepack_ipc::worker::RenderRequest { work_dir, ..again };
    worker.send(&ToWorker::Render(Box::new(again.clone())));
    worker.send(&ToWorker::Pause {
        job: JOB,
        at: PauseAt::Step,
    });
    worker.wait_for(|message| matches!(message, FromWorker::Paused { job: JOB }));
    worker.send(&ToWorker::Plan {
        ask: 7,
        request: Box::new(again),
    });
    // The next word is the answer: no step was made before it.
    let FromWorker::Planned { ask: 7, outcome } = worker.next() else {
        panic!("a step was made");
    };
    assert!(matches!(outcome, PlanOutcome::Plan(_)), "{outcome:?}");
    worker.send(&ToWorker::Resume { job: JobId(99) });
    worker.send(&ToWorker::Resume { job: JOB });
    assert_eq!(worker.next(), FromWorker::Resumed { job: JOB });
    match worker.wait_for(|message| matches!(message, FromWorker::Done { .. })) {
        FromWorker::Done { output, .. } => assert_eq!(output.latents_sha256, undisturbed),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_paused_job_can_be_cancelled_and_its_worker_ended() {
    let desk = Desk::new();
    let mut worker = Worker::ready(desk.path());
    let request = brief(desk.request(Model::F1, 3));
    let pause = |worker: &mut Worker| {
        worker.send(&ToWorker::Render(Box::new(request.clone())));
        worker.wait_for(is_step);
        worker.send(&ToWorker::Pause {
            job: JOB,
            at: PauseAt::Step,
        });
        worker.wait_for(|message| matches!(message, FromWorker::Paused { .. }));
    };
    pause(&mut worker);
    worker.send(&ToWorker::Cancel { job: JOB });
    assert_eq!(worker.next(), FromWorker::Cancelled { job: JOB });

    // Neither the pause nor the cancellation is meant for the next attempt, which pauses for itself.
    pause(&mut worker);
    worker.hang_up();
    assert!(!request.output.exists());
}

#[test]
fn a_job_that_pauses_at_a_section_ends_there_and_is_continued() {
    let desk = Desk::new();
    let mut worker = Worker::ready(desk.path());
    let request = brief(desk.request(Model::Original, 3));
    worker.send(&ToWorker::Render(Box::new(request.clone())));
    worker.wait_for(is_step);
    worker.send(&ToWorker::Pause {
        job: JOB,
        at: PauseAt::Section,
    });
    let mut sections_done = 0;
    loop {
        match worker.next() {
            FromWorker::Checkpoint {
                sections_done: done,
                ..
            } => sections_done = done,
            FromWorker::Suspended { job } => break assert_eq!(job, JOB),
            FromWorker::Progress { .. } | FromWorker::Kept { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(sections_done > 0);
    assert!(!request.output.exists());
    let resumed = worker.go_on(&request).resumed.unwrap();
    assert_eq!(
        (resumed.sections_done, resumed.is_exact),
        (sections_done, true)
    );
}

/// Nothing is lost, wherever it happens: the next run makes the next step.
#[test]
fn a_job_that_is_suspended_between_two_steps_goes_on_with_the_next_one() {
    let desk = Desk::new();
    let mut worker = Worker::ready(desk.path());
    let mut request = desk.request(Model::Original, 2);
    // So many that some are left when the worker hears of it.
    request.steps = Some(12);
    let undisturbed = worker.render(&request);
    let request = fresh(&desk, &request, "suspended");
    let suspend = ToWorker::Pause {
        job: JOB,
        at: PauseAt::StepEnd,
    };
    worker.send(&ToWorker::Render(Box::new(request.clone())));
    let seen = worker.wait_for(is_step);
    worker.send(&suspend);
    let last = last_step(&mut worker, &seen);
    assert!(0 < last.1 && last.1 < undisturbed.plan.steps, "{last:?}");
    worker.hang_up();

    // One that stands still gives its memory back, too. A new process has only what is on the disk.
    let mut worker = Worker::ready(desk.path());
    worker.send(&ToWorker::Render(Box::new(request.clone())));
    let seen = worker.wait_for(is_sampling);
    worker.send(&ToWorker::Pause {
        job: JOB,
        at: PauseAt::Step,
    });
    let last = last_step(&mut worker, &seen);
    worker.hang_up();

    let mut worker = Worker::ready(desk.path());
    worker.send(&ToWorker::Render(Box::new(request.clone())));
    let first = worker.wait_for(is_sampling);
    assert_eq!(step_of(&first), Some(last));
    let done = worker.wait_for(|message| matches!(message, FromWorker::Done { .. }));
    let FromWorker::Done { output, .. } = done else {
        unreachable!("it is what was waited for");
    };
    assert_eq!(output.latents_sha256, undisturbed.latents_sha256);
    let left = std::fs::read_dir(&request.work_dir).unwrap().flatten();
    let left = left.filter(|entry| entry.file_name() == "checkpoint-steps.safetensors");
    assert_eq!(left.count(), 0);
}

/// The section and step at which a worker was when it said that it had suspended its job, which it is asked to do once it
/// stands still. `seen`: what it said before.
fn last_step(worker: &mut Worker, seen: &FromWorker) -> (u32, u32) {
    let mut last = step_of(seen).expect("it tells a step");
    loop {
        let message = worker.next();
        last = step_of(&message).unwrap_or(last);
        match message {
            FromWorker::Progress { .. } | FromWorker::Kept { .. } => {}
            FromWorker::Paused { job } => worker.send(&ToWorker::Pause {
                job,
                at: PauseAt::StepEnd,
            }),
            FromWorker::Suspended { job } => {
                assert_eq!(job, JOB);
                return last;
            }
            other => panic!("{other:?}"),
        }
    }
}

fn is_sampling(message: &FromWorker) -> bool {
    matches!(message, FromWorker::Progress { progress, .. } if progress.phase == Phase::Sample)
}

/// The section and step that a worker tells.
fn step_of(message: &FromWorker) -> Option<(u32, u32)> {
    match message {
        FromWorker::Progress { progress, .. } => Some((progress.section, progress.step)),
        _ => None,
    }
}
