//! The end of a run, of a job, and of the daemon before this one.

use std::{collections::HashSet, path::PathBuf};

use framepack_jobs::{Job, JobId, JobState, Phase, Reach, StateName, Timestamp};

use super::{
    core::Queue,
    jobs::is_kept,
    outbox::Delivery,
    runs::{Circumstances, Ending, Persistence, WorkerReport, after_run, lost, note_report, reach},
    schedule::LocalTime,
    windows::where_to_end,
};
use crate::{
    disk::{Ended, Video},
    record::Record,
    remedy::with_remedy,
};

/// Notes what a worker says about its job.
pub(super) fn report(queue: &mut Queue, id: JobId, report: WorkerReport) {
    let Some(record) = queue
        .jobs
        .get(id)
        .filter(|record| record.job.is(StateName::Running))
    else {
        return;
    };
    queue.runs.note_pace(id, &report);
    if has_loaded(&report) {
        queue.schedule.note_passed(&record.job);
    }
    match Persistence::of(record, &report) {
        Persistence::Now | Persistence::WithNextCommit => {
            queue.change(id, |record| note_report(record, report));
        }
        Persistence::Never => {
            queue
                .jobs
                .change_unstored(id, |record| note_report(record, report));
            queue.outbox.put(Delivery::Announce(id));
        }
    }
}

/// Whether a job that says this has all its models: none of them is loaded after a step but the one that decodes, which
/// encoded its start image before.
fn has_loaded(report: &WorkerReport) -> bool {
    match report {
        WorkerReport::Progress(progress) => match progress.phase {
            Phase::Sample => progress.step > 0,
            Phase::Encode | Phase::Verify => true,
            _ => false,
        },
        WorkerReport::Checkpoint(_) => true,
        _ => false,
    }
}

/// Ends a run: the job has ended, or goes back into the queue.
pub(super) fn end_run(queue: &mut Queue, id: JobId, ending: Ending) {
    let energy_joules = queue.runs.end(id);
    let device = queue.jobs.get(id).and_then(|record| device(&record.job));
    let circumstances = Circumstances {
        now: Timestamp::now(),
        energy_joules,
        foreign_bytes: device.and_then(|device| queue.runs.foreign_bytes(device)),
    };
    note_outage(queue, id, &ending);
    let time = LocalTime::now(&queue.clock);
    let is_suspended = matches!(ending, Ending::Suspended);
    let state = queue.jobs.change(id, |record| {
        if is_suspended && !record.job.runs.keep_sections {
            record.job.runs.suspended_until = window_opens(&record.job, &time);
        }
        after_run(record, ending, circumstances)
    });
    if let Some(state) = state.flatten() {
        queue.finish(id, state);
    }
}

/// When the window opens again of a job that was suspended for its end; `None`: it was not.
fn window_opens(job: &Job, time: &LocalTime) -> Option<Timestamp> {
    where_to_end(job, time)?;
    job.schedule.window.map(|window| time.opens(window))
}

/// A fault of the models is noted once, and a job that was done shows that there is none.
fn note_outage(queue: &mut Queue, id: JobId, ending: &Ending) {
    let Some(record) = queue.jobs.get(id) else {
        return;
    };
    match ending {
        Ending::Done(_) => queue.schedule.note_passed(&record.job),
        Ending::Failed(failure) if reach(failure) == Some(Reach::Model) => {
            let model = record.job.rendered_model();
            let failure = with_remedy(&queue.renderer.models, failure.clone(), model);
            queue.schedule.note_outage(Some(&record.job), failure);
        }
        _ => {}
    }
}

fn device(job: &Job) -> Option<&str> {
    match &job.state {
        JobState::Running { device, .. } => Some(device),
        _ => None,
    }
}

/// A job that has ended, for the disks; `now` has to be sure.
pub(super) fn ended(record: &Record, now: Timestamp) -> Ended {
    let job = &record.job;
    Ended {
        job: job.id,
        output: job.output.clone(),
        video: if job.state.result().is_some() {
            Video::Made
        } else {
            Video::None
        },
        input: record.private.input.clone(),
        is_kept: is_kept(job, now),
    }
}

/// After a crash: every running job is queued again, or given up.
pub(super) fn recover(queue: &mut Queue) {
    let running: Vec<JobId> = queue.jobs.running().map(|record| record.job.id).collect();
    for id in running {
        let state = queue
            .jobs
            .get(id)
            .map(|record| lost(record, Timestamp::now()));
        if let Some(state) = state {
            queue.finish(id, state);
        }
    }
}

/// The jobs that have ended, and the copies of start images that are still needed: the daemon may have died after a
/// job's end was durable and before the disks heard of it.
pub(super) fn leftovers(queue: &Queue) -> (Vec<Ended>, HashSet<PathBuf>) {
    let records = queue.jobs.all().values();
    let now = queue.clock.sure();
    let kept = records.clone().filter(|record| is_kept(&record.job, now));
    let needed = kept.map(|record| record.private.input.clone()).collect();
    let finished = records.filter(|record| record.job.is_finished());
    let finished = finished.map(|record| ended(record, now));
    (finished.collect(), needed)
}

/// Jobs that were filed, tried again and have ended: the daemon may have died before their files followed them.
pub(super) fn refiled(queue: &Queue) -> impl Iterator<Item = &Record> {
    let records = queue.jobs.all().values();
    records.filter(|record| record.private.was_retried && record.job.is_finished())
}
