//! What a message asks of the queue's parts.

use std::{ops::ControlFlow, sync::Arc};

use framepack_ipc::{
    control::{WorkerState, WorkerStatus},
    state::Imported,
    worker::{Inspected, Temperature},
};
use framepack_jobs::{JobId, JobState, StateName, Timestamp};
use tokio::sync::oneshot;
use tracing::info;

use super::{
    change::change,
    core::Queue,
    ending::{end_run, report},
    farm::is_idle,
    forecast::predicted,
    glance::glance,
    jobs::import,
    message::{Image, Message},
    outbox::Delivery,
    remove::{needed, remove},
    replace::replace,
    schedule::LocalTime,
    start::prepared,
    submit::{submit, survey},
    view::{summary, view},
};
use crate::record::Record;

/// Does what a message asks. Breaks off when it asks to stop.
pub(super) fn answer(queue: &mut Queue, message: Message) -> ControlFlow<()> {
    match message {
        Message::Survey(wanted, reply) => send(reply, survey(queue, *wanted)),
        Message::Submit(submission, found, reply) => submit(queue, *submission, found, reply),
        Message::Replace(replacement, found, image, reply) => {
            let replaced = replace(queue, *replacement, found, image);
            queue.outbox.answer(reply, replaced);
        }
        Message::Needed(job, reply) => send(reply, needed(queue, job)),
        Message::Remove(jobs, reply) => {
            let removals = remove(queue, &jobs);
            queue.outbox.answer(reply, removals);
        }
        Message::Record(job, reply) => {
            send(reply, queue.jobs.get(job).cloned().map(Box::new));
        }
        Message::ByClaim(claim, reply) => {
            send(reply, queue.jobs.by_claim(&claim).cloned().map(Arc::new));
        }
        Message::Next(idle) => {
            queue.runs.wait(idle);
            queue.schedule.look_for_turns();
        }
        Message::Prepared(job, result) => prepared(queue, job, result),
        Message::Shares => queue.schedule.look_at_shares(),
        Message::Looked(look) => queue.schedule.note_look(
            &queue.jobs,
            LocalTime::now(&queue.clock),
            look.map(|look| *look),
        ),
        Message::Outage(failure) => queue.schedule.note_outage(None, *failure),
        Message::WorkerReport(job, said) => report(queue, job, said),
        Message::Worker(status) => note_worker(queue, status),
        Message::Loaded(device, model) => queue.schedule.note_loaded(&device, model),
        Message::Workers(reply) => send(reply, queue.runs.workers().cloned().collect()),
        Message::End(job, ending, reply) => {
            end_run(queue, job, *ending);
            queue.outbox.answer(reply, ());
        }
        Message::Change(order, images, reply) => {
            let changed = change(queue, order, &images);
            queue.outbox.answer(reply, changed);
        }
        Message::View(reply) => {
            let view = view(queue);
            tell(queue, reply, view);
        }
        Message::Predict(record, device, reply) => {
            send(reply, predicted(queue, &record, &device));
        }
        Message::List(request, reply) => {
            let jobs = queue.jobs.list(&request);
            tell(queue, reply, jobs);
        }
        Message::Select(selectors, reply) => {
            let selected = queue.jobs.select(&selectors);
            let selected = selected.map(|jobs| jobs.into_iter().cloned().collect());
            tell(queue, reply, selected);
        }
        Message::Counts(reply) => {
            let counts = queue.jobs.counts();
            tell(queue, reply, counts);
        }
        Message::RecordsAfter(job, limit, reply) => send(reply, queue.jobs.after(job, limit)),
        Message::Import(record, image, reply) => {
            let imported = import(&mut queue.jobs, *record, image == Image::There);
            if let Imported::Added { job } = imported {
                queue.outbox.put(Delivery::Announce(job));
                queue.schedule.look_again();
            }
            queue.outbox.answer(reply, imported);
        }
        Message::Show(job, reply) => {
            send(reply, queue.jobs.get(job).map(|record| record.job.clone()));
        }
        Message::Inspected(inspected, changed_at, reply) => {
            note_inspected(queue, *inspected, changed_at);
            queue.outbox.answer(reply, ());
        }
        Message::IsIdle(reply) => send(reply, is_idle(queue)),
        Message::Tell(event) => queue.jobs.tell(*event),
        Message::Summary(reply) => send(reply, summary(queue)),
        Message::Glance(recent, reply) => {
            let glance = glance(queue, recent);
            tell(queue, reply, glance);
        }
        Message::Stop(reply) => {
            queue.outbox.answer(reply, ());
            return ControlFlow::Break(());
        }
    }
    ControlFlow::Continue(())
}

fn note_worker(queue: &mut Queue, status: WorkerStatus) {
    let is_cold = status.temperature == Some(Temperature::Cold);
    if is_cold || status.state == WorkerState::Starting {
        queue.schedule.note_cold(&status.device);
    }
    if let Some(event) = queue.farm.worker(&status) {
        queue.jobs.tell(event);
    }
    queue.runs.note_worker(status);
}

/// A job that can only fail does so now, unless it has begun: then its run says so. What was found of a job that has become
/// another one since is none of its own.
fn note_inspected(queue: &mut Queue, inspected: Inspected, changed_at: Option<Timestamp>) {
    let record = queue.jobs.get(inspected.job);
    if record.is_none_or(|record| record.job.runs.changed_at != changed_at) {
        return;
    }
    let Inspected {
        job,
        warnings,
        failure,
    } = inspected;
    warn(queue, job, warnings);
    let is_queued = |record: &Record| record.job.is(StateName::Queued);
    if let Some(failure) = failure
        && queue.jobs.get(job).is_some_and(is_queued)
    {
        info!(%job, code = %failure.code, "failed before its turn: {}", failure.message);
        let finished_at = Timestamp::now();
        queue.finish(
            job,
            JobState::Failed {
                finished_at,
                failure,
            },
        );
    }
}

/// Adds to a job's warnings what they do not say yet; the report of one that has ended says it already.
fn warn(queue: &mut Queue, id: JobId, mut warnings: Vec<String>) {
    let Some(record) = queue.jobs.get(id) else {
        return;
    };
    warnings.retain(|warning| !record.job.warnings.contains(warning));
    if record.job.is_finished() || warnings.is_empty() {
        return;
    }
    queue
        .jobs
        .change(id, |record| record.job.warnings.extend(warnings));
    queue.outbox.put(Delivery::Announce(id));
}

/// Tells how the jobs are: what was not durable when it was asked for is not told before it is. While the store
/// can't be written that may take long, and what is told is what will be written.
fn tell<T: Send + 'static>(queue: &mut Queue, reply: oneshot::Sender<T>, answer: T) {
    if queue.jobs.has_changes() && queue.outbox.trouble().is_none() {
        queue.outbox.answer(reply, answer);
    } else {
        send(reply, answer);
    }
}

/// Answers at once. Nobody minds when the asker has gone away.
fn send<T>(reply: oneshot::Sender<T>, answer: T) {
    let _ = reply.send(answer);
}
