//! A worker's life: cancelled, left alone by its daemon, replaced.

use std::{fs, time::Duration};

use framepack_ipc::worker::{FromWorker, Phase, RenderRequest, ToWorker};
use framepack_jobs::{JobId, Model};

use crate::worker::{Desk, Worker};

/// What is promised is a second: half of it for the step that runs, then the process kills itself. On a machine
/// with more work than cores the kernel may take longer to run and to bury the process; a step of the long job
/// below is over far later than this in any case, if nothing cut the job short.
const SOON: Duration = Duration::from_secs(5);

fn sampling(message: &FromWorker) -> bool {
    matches!(message, FromWorker::Progress { progress, .. } if progress.phase == Phase::Sample && progress.step > 0)
}

/// A job that would take minutes.
fn long(desk: &Desk) -> RenderRequest {
    RenderRequest {
        steps: Some(100),
        ..desk.request(Model::Original, 60)
    }
}

#[test]
fn a_cancelled_job_leaves_nothing_and_the_worker_goes_on() {
    let desk = Desk::new();
    let mut worker = Worker::ready(desk.path());
    let request = long(&desk);
    worker.send(&ToWorker::Render(Box::new(request.clone())));
    worker.wait_for(sampling);
    worker.send(&ToWorker::Cancel { job: JobId(99) });
    worker.wait_for(sampling);
    worker.send(&ToWorker::Cancel { job: request.job });
    loop {
        match worker.next() {
            FromWorker::Cancelled { job } => break assert_eq!(job, request.job),
            FromWorker::Progress { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(!request.output.exists());
    worker.render(&desk.request(Model::Original, 1));
}

#[test]
fn the_end_of_its_input_ends_a_worker_within_a_second_at_work_or_not() {
    let desk = Desk::new();
    let mut idle = Worker::ready(desk.path());
    assert!(idle.hang_up() < SOON);

    let mut busy = Worker::ready(desk.path());
    busy.send(&ToWorker::Render(Box::new(long(&desk))));
    busy.wait_for(sampling);
    assert!(busy.hang_up() < SOON);
    let videos = fs::read_dir(desk.path()).unwrap().filter(|entry| {
        entry
            .as_ref()
            .unwrap()
            .path()
            .extension()
            .is_some_and(|extension| extension == "mp4")
    });
    assert_eq!(videos.count(), 0);
}

#[test]
fn a_second_worker_waits_for_the_first_to_end() {
    let desk = Desk::new();
    let mut first = Worker::ready(desk.path());
    let second = Worker::start(desk.path());
    second.wait_for_log("waiting for another worker");
    assert!(second.is_silent());
    first.hang_up();
    assert!(matches!(second.next(), FromWorker::Ready(_)));
}

#[test]
fn a_worker_that_waits_for_the_device_ends_with_its_input_too() {
    let desk = Desk::new();
    let _first = Worker::ready(desk.path());
    let mut second = Worker::start(desk.path());
    second.wait_for_log("waiting for another worker");
    assert!(second.hang_up() < SOON);
}

#[test]
fn only_the_protocol_goes_to_stdout() {
    let desk = Desk::new();
    let worker = Worker::ready(desk.path());
    // What a library prints goes where the log goes.
    assert_eq!(worker.descriptor(1), worker.descriptor(2));
}
