//! Jobs to idle workers, in the order of the schedule.
//!
//! A job begins in two steps: its folders are made and its video's name is reserved, which the disks may take their time
//! for, while the worker waits; then it is given to the worker.

use std::path::{Path, PathBuf};

use framepack_jobs::{Failure, JobId, JobState, StateName, Timestamp};
use tracing::info;

use super::{
    core::Queue,
    forecast::temperature,
    jobs::Jobs,
    outbox::{Clearing, Delivery},
    runs::{Assignment, IdleWorker, Runs, again_or_failed},
    schedule::{Eligibility, LocalTime},
    windows::has_end,
};
use crate::{
    disk::{Names, Needs, NotPrepared, Preparation},
    record::{Began, Record},
};

/// Gives jobs to idle workers until either runs out. Returns what is to be done on the disks for that.
pub(super) fn assign(queue: &mut Queue) -> Vec<Preparation> {
    let time = LocalTime::now(&queue.clock);
    for (id, state) in queue.schedule.sweep(&queue.jobs, time) {
        queue.finish(id, state);
    }
    queue.schedule.swept();
    queue.schedule.look_for_room();
    queue.schedule.look_at_shares();
    let is_begun = |id| is_begun(&queue.jobs, &queue.runs, id);
    queue.schedule.look_at_outages(is_begun);
    if queue.outbox.trouble().is_some() {
        return Vec::new();
    }
    let mut preparations = Vec::new();
    // Only a worker that is there takes a turn.
    while let Some(first) = queue.runs.next_idle() {
        if !queue.schedule.takes_turns() {
            queue.runs.wait_first(first);
            break;
        }
        for (id, idle) in turns(queue, first) {
            preparations.push(preparation(queue, id));
            queue.runs.prepare(id, idle);
        }
    }
    preparations
}

/// Who gets which job.
fn turns(queue: &mut Queue, first: IdleWorker) -> Vec<(JobId, IdleWorker)> {
    let preparing = queue.runs.preparing();
    let time = LocalTime::now(&queue.clock);
    let is_begun = |id| is_begun(&queue.jobs, &queue.runs, id);
    queue
        .schedule
        .choose_probes(&queue.jobs, &time, &preparing, is_begun);
    let context = queue.schedule.context(&queue.jobs, time);
    let mut lineup = queue.schedule.lineup(&context, &preparing);
    let (mut turns, mut next) = (Vec::new(), Some(first));
    while let Some(worker) = next {
        let warm = queue.schedule.warm(&worker.worker.device);
        let Some(turn) = lineup.next(warm) else {
            queue.runs.wait_first(worker);
            break;
        };
        turns.push((turn.job.id, worker));
        next = queue.runs.next_idle();
    }
    queue
        .schedule
        .note_turns(turns.len(), lineup.into_overtaken());
    turns
}

/// Whether a job is with a worker, or about to be.
pub(super) fn is_begun(jobs: &Jobs, runs: &Runs, id: JobId) -> bool {
    let job = jobs.get(id).map(|record| &record.job);
    job.is_some_and(|job| job.is(StateName::Running)) || runs.preparing().contains(&id)
}

/// What is to be done before a job runs.
fn preparation(queue: &Queue, id: JobId) -> Preparation {
    let record = queue
        .jobs
        .get(id)
        .expect("its turn was taken from the same table");
    let job = &record.job;
    let preparing = queue.runs.preparing();
    let others = preparing.iter().filter_map(|id| queue.jobs.get(*id));
    let together = queue.jobs.running().chain(others).chain([record]);
    Preparation {
        job: id,
        below: job.spec.output.dir.clone(),
        needs: Needs::of(together.map(|record| &record.job)),
        names: names(queue, record),
    }
}

/// The names that a job's video may get, rather the one that it has.
pub(super) fn names(queue: &Queue, record: &Record) -> Names {
    let job = &record.job;
    let (folder, stem) = queue.renderer.output(&job.spec, &job.name, job.seed);
    // It stays where it was accepted for, should the configuration have another folder now.
    let folder = job.output.parent().map_or(folder, Path::to_owned);
    Names {
        taken: queue.jobs.reserved_like(&folder, &stem, Some(job.id)),
        current: Some(job.output.clone()),
        folder,
        stem,
    }
}

/// A job's folders are made, or can't be.
pub(super) fn prepared(queue: &mut Queue, id: JobId, prepared: Result<PathBuf, NotPrepared>) {
    let Some(idle) = queue.runs.prepared(id) else {
        return;
    };
    queue.schedule.look_for_turns();
    let is_queued = queue.jobs.queued().contains(&id);
    match prepared {
        Ok(output) => {
            queue.schedule.note_room();
            // Meanwhile it may have been cancelled or held, or the worker may be gone.
            if is_queued && may_begin(queue, id) && !idle.reply.is_closed() {
                begin(queue, id, idle, output);
                return;
            }
            let known_as = queue.jobs.get(id).map(|record| &record.job.output);
            if !is_queued || known_as != Some(&output) {
                queue.outbox.clear(Clearing::Release(id, output));
            }
        }
        Err(NotPrepared::Full(full)) => queue.schedule.note_no_room(full),
        Err(NotPrepared::Silent(silent)) => queue.schedule.note_silent(id, silent.path),
        Err(NotPrepared::Folder(error)) if is_queued => fail(queue, id, error.into_failure()),
        Err(NotPrepared::Folder(_)) => {}
    }
    queue.runs.wait_first(idle);
}

/// Whether the job may still begin.
fn may_begin(queue: &Queue, id: JobId) -> bool {
    let context = queue
        .schedule
        .context(&queue.jobs, LocalTime::now(&queue.clock));
    let job = queue.jobs.get(id).map(|record| &record.job);
    let is_ready = job.is_some_and(|job| context.judge(job) == Eligibility::Ready);
    is_ready && queue.paused().is_none()
}

/// A job whose folders can't be made does not reach a worker.
fn fail(queue: &mut Queue, id: JobId, failure: Failure) {
    let state = queue.change(id, |record| {
        again_or_failed(record, failure, Timestamp::now())
    });
    if let Some(state) = state.filter(|state| state.name() != StateName::Queued) {
        queue.finish(id, state);
    }
    queue.schedule.look_again();
}

/// Marks the job as running; the worker is told once that is durable.
fn begin(queue: &mut Queue, id: JobId, idle: IdleWorker, output: PathBuf) {
    let device = idle.worker.device.clone();
    let renderer = queue.renderer.clone();
    let record = queue
        .jobs
        .get(id)
        .expect("its turn was taken from the same table");
    let temperature = temperature(queue, &device, &record.job);
    queue.change(id, |record| {
        let settings = renderer.settings(record, &device);
        let job = &mut record.job;
        job.runs.settings = settings;
        if job.output != output {
            info!(job = %id, was = %job.output.display(), is = %output.display(), "its output name was taken in the meantime");
            job.output = output;
        }
        job.runs.attempts += 1;
        // Taken back when the start ends under this daemon.
        job.runs.starts_without_progress += 1;
        job.runs.retry_at = None;
        job.runs.suspended_until = None;
        record.private.began = Some(Began {
            temperature,
            kept: record.private.kept,
        });
        record.private.worker_version = Some(idle.worker.version.clone());
        let running = JobState::Running {
            started_at: Timestamp::now(),
            device: device.clone(),
            plan: None,
            progress: None,
            paused: false,
        };
        job.transition(running).expect("a queued job may run");
    });
    let record = queue.jobs.get(id).expect("it was changed just now");
    queue.schedule.note_begun(&device, &record.job);
    info!(job = %id, device, attempt = record.job.runs.attempts, "started");
    let assignment = Assignment {
        request: queue.renderer.request(record),
        control: queue.runs.begin(id, &device),
        gives_back: has_end(&record.job),
    };
    let deliver = Delivery::Assign(id, idle.reply, Box::new(assignment));
    queue.outbox.put(deliver);
}
