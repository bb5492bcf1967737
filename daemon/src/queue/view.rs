//! The queue as users see it: who runs, who is next, who waits for what.

use std::collections::BTreeSet;

use framepack_ipc::{
    control::{Note, Outage, WorkerState, WorkerStatus},
    queue::{QueueEntry, QueueView, Standing},
};
use framepack_jobs::{Code, Dependency, Job, JobState, Timestamp};

use super::{
    core::Queue,
    forecast::tell,
    runs::Control,
    schedule::{Eligibility, LocalTime, SchedulingContext, Turn, TurnReason, Wait, Warm},
    start::is_begun,
    windows::where_to_end,
};

/// How many jobs there are, and which run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Summary {
    /// Jobs that wait.
    pub(crate) queued: u64,
    /// Jobs that a worker has.
    pub(crate) running: Vec<Job>,
    /// Those that wait that were suspended at the end of their window.
    pub(crate) suspended: Vec<Job>,
    /// Jobs that may be queued or running at a time.
    pub(crate) max_jobs: u64,
    /// Why no job begins, while that is so.
    pub(crate) paused: Option<String>,
    /// The same as a note, when it is the disk.
    pub(crate) disk_full: Option<Note>,
    /// What jobs wait for until the farm is mended.
    pub(crate) outages: Vec<Outage>,
    /// The one of these for which no job begins, where nothing else pauses the queue.
    pub(crate) stopped_by: Option<Outage>,
}

impl Summary {
    /// Jobs that still fit.
    pub(crate) fn room(&self) -> u64 {
        let running = self.running.len() as u64;
        self.max_jobs.saturating_sub(self.queued + running)
    }
}

/// The queue at a glance, for those who need no records.
pub(super) fn summary(queue: &Queue) -> Summary {
    let full = queue.schedule.no_room();
    let outages = outages(queue);
    Summary {
        queued: queue.jobs.queued().len() as u64,
        running: queue
            .jobs
            .running()
            .map(|record| record.job.clone())
            .collect(),
        suspended: suspended(queue),
        max_jobs: queue.max_jobs(),
        paused: paused(queue, &outages),
        disk_full: full.map(|full| Note::new(Code::DISK_FULL, full.to_string())),
        stopped_by: stopped_by(queue, &outages).cloned(),
        outages,
    }
}

fn suspended(queue: &Queue) -> Vec<Job> {
    let queued = queue.jobs.queued().iter();
    let jobs = queued.filter_map(|id| Some(&queue.jobs.get(*id)?.job));
    let suspended = jobs.filter(|job| job.runs.suspended_until.is_some());
    suspended.cloned().collect()
}

/// The jobs that have not ended, in the order in which they will run.
pub(super) fn view(queue: &Queue) -> QueueView {
    let context = queue
        .schedule
        .context(&queue.jobs, LocalTime::now(&queue.clock));
    let running = queue.jobs.running().map(|record| &record.job);
    let running = running.map(|job| entry_of_running(queue, job));
    let mut jobs: Vec<QueueEntry> = running.collect();
    jobs.extend(turns_to_come(queue, &context));
    jobs.extend(context.queued().filter_map(|job| match context.judge(job) {
        Eligibility::Waits(wait) => Some(entry_of_waiting(job, &wait)),
        _ => None,
    }));
    let outages = outages(queue);
    let mut view = QueueView {
        paused: paused(queue, &outages),
        paused_groups: queue.schedule.paused_groups().iter().cloned().collect(),
        jobs,
        outages,
        drains: None,
    };
    let obstacle = view.paused.clone().or_else(|| no_device(queue));
    tell(queue, &context, &mut view, obstacle.as_deref());
    view
}

/// What jobs wait for: models that can't be used, and devices whose workers can't start.
fn outages(queue: &Queue) -> Vec<Outage> {
    let is_begun = |id| is_begun(&queue.jobs, &queue.runs, id);
    let mut outages = queue.schedule.outages(is_begun);
    for worker in queue.runs.workers() {
        let Some(outage) = &worker.outage else {
            continue;
        };
        let is_same = |other: &&mut Outage| {
            !other.devices.is_empty()
                && other.code == outage.code
                && other.message == outage.message
        };
        match outages.iter_mut().find(is_same) {
            Some(same) => same.devices.extend(outage.devices.iter().cloned()),
            None => outages.push((**outage).clone()),
        }
    }
    outages
}

/// Why no job begins: what users and disks say, or an outage that all jobs wait for.
fn paused(queue: &Queue, outages: &[Outage]) -> Option<String> {
    queue.paused().or_else(|| {
        let outage = stopped_by(queue, outages)?;
        let (why, times) = (outage.code.behind(&outage.message), outage.times());
        Some(format!(
            "jobs wait until the farm is mended: {why} ({times})"
        ))
    })
}

/// The outage that all jobs wait for, where they wait for nothing else.
fn stopped_by<'a>(queue: &Queue, outages: &'a [Outage]) -> Option<&'a Outage> {
    let is_paused = queue.paused().is_some();
    let mut stopping = outages.iter().filter(|outage| stops_all(queue, outage));
    stopping.next().filter(|_| !is_paused)
}

/// Why no device can start a job, as what jobs wait for whose turn would come.
fn no_device(queue: &Queue) -> Option<String> {
    let first = queue
        .runs
        .workers()
        .find_map(|worker| worker.outage.as_ref())?;
    let is_out =
        |worker: &WorkerStatus| worker.outage.is_some() || worker.state == WorkerState::Faulty;
    queue.runs.workers().all(is_out).then(|| {
        let devices: Vec<&str> = queue
            .runs
            .workers()
            .map(|worker| worker.device.as_str())
            .collect();
        format!(
            "waiting for {}: {}",
            devices.join(" or "),
            first.code.behind(&first.message)
        )
    })
}

/// Whether no job at all can begin while this lasts.
fn stops_all(queue: &Queue, outage: &Outage) -> bool {
    if !outage.devices.is_empty() {
        return no_device(queue).is_some();
    }
    let queued = queue.jobs.queued();
    let mut records = queued.iter().filter_map(|id| queue.jobs.get(*id));
    outage.models.is_empty()
        || records.all(|record| outage.models.contains(&record.job.rendered_model()))
}

/// The jobs that may begin. Which of several devices is free first is not known: they take turns.
fn turns_to_come(queue: &Queue, context: &SchedulingContext<'_>) -> Vec<QueueEntry> {
    let mut lineup = queue.schedule.lineup(context, &BTreeSet::new());
    let devices = queue.runs.workers().map(|worker| worker.device.as_str());
    let mut warm: Vec<Option<Warm>> = devices.map(|device| queue.schedule.warm(device)).collect();
    if warm.is_empty() {
        warm.push(None);
    }
    let count = warm.len();
    let no_device = no_device(queue);
    let mut entries = Vec::new();
    for turn in 0_u32.. {
        let warm = &mut warm[turn as usize % count];
        let Some(next) = lineup.next(*warm) else {
            break;
        };
        *warm = Some(Warm::after(next.job));
        entries.push(match &no_device {
            Some(why) => entry(next.job, Standing::Waiting, why.clone()),
            None => QueueEntry {
                turn: Some(turn + 1),
                ..entry(next.job, Standing::Ready, reason(&next))
            },
        });
    }
    entries
}

fn entry(job: &Job, standing: Standing, reason: String) -> QueueEntry {
    QueueEntry {
        turn: None,
        id: job.id,
        name: job.name.clone(),
        standing,
        priority: job.schedule.priority,
        group: job.schedule.group.clone(),
        reason,
        until: None,
        begins: None,
        ends: None,
    }
}

fn entry_of_running(queue: &Queue, job: &Job) -> QueueEntry {
    let is_ending = where_to_end(job, &LocalTime::now(&queue.clock))
        .is_some_and(|at| queue.runs.was_told(job.id) == Some(Control::Pause(at)));
    match &job.state {
        JobState::Running { device, .. } if job.runs.keep_sections => {
            entry(job, Standing::Running, format!("on {device}; {ENDS}"))
        }
        JobState::Running { device, .. } if is_ending => entry(
            job,
            Standing::Running,
            format!("on {device}; its window has ended: it will be suspended"),
        ),
        JobState::Running {
            device,
            paused: true,
            ..
        } => entry(
            job,
            Standing::Paused,
            format!("paused on {device}, keeping its memory"),
        ),
        JobState::Running { device, .. } => entry(job, Standing::Running, format!("on {device}")),
        state => entry(job, Standing::Unknown, state.name().to_string()),
    }
}

/// Why a job is first that a user has cancelled.
const ENDS: &str = "it is being cancelled: its finished sections become a video";

fn reason(turn: &Turn<'_>) -> String {
    match turn.why {
        _ if turn.job.runs.keep_sections => ENDS.to_owned(),
        TurnReason::Order => match turn.job.schedule.priority {
            0 => "in order of submission".to_owned(),
            priority => format!("priority {priority}"),
        },
        TurnReason::ModelLoaded => "moved up: its model is loaded".to_owned(),
        TurnReason::Encoded => {
            "moved up: its model is loaded, and its prompt and image are encoded".to_owned()
        }
    }
}

fn entry_of_waiting(job: &Job, wait: &Wait) -> QueueEntry {
    let (standing, reason, until) = in_words(job, wait);
    QueueEntry {
        until,
        ..entry(job, standing, reason)
    }
}

fn in_words(job: &Job, wait: &Wait) -> (Standing, String, Option<Timestamp>) {
    let waiting = |reason, until| (Standing::Waiting, reason, until);
    match wait {
        Wait::Held => (Standing::Held, "held by a user".to_owned(), None),
        Wait::GroupPaused(group) => (Standing::Held, format!("group {group} is paused"), None),
        Wait::After(dependency, Some((id, state))) => {
            let named = match dependency {
                Dependency::Number(_) => String::new(),
                Dependency::Named(name) => format!(" ({name})"),
            };
            waiting(format!("after job {id}{named}, which is {state}"), None)
        }
        Wait::After(dependency, None) => waiting(
            format!("after {dependency}, which does not exist yet"),
            None,
        ),
        Wait::NotBefore(begin) => waiting(format!("not before {begin}"), Some(*begin)),
        Wait::Retry(begin) => {
            let failure = job.runs.last_failure.as_ref();
            let why = failure.map(|failure| format!(", after: {}", failure.message));
            let why = why.unwrap_or_default();
            waiting(format!("retry at {begin}{why}"), Some(*begin))
        }
        Wait::Window { window, opens } if job.runs.suspended_until.is_some() => waiting(
            format!("suspended at the end of its window {window}, goes on at {opens}"),
            Some(*opens),
        ),
        Wait::Window { window, opens } => waiting(
            format!("waiting for its window {window}, which opens at {opens}"),
            Some(*opens),
        ),
        Wait::Outage(failure) => waiting(
            format!(
                "waiting until the farm is mended: {}",
                failure.code.behind(&failure.message)
            ),
            None,
        ),
        Wait::Share(share) => waiting(
            format!("waiting for {}, which does not answer", share.display()),
            None,
        ),
    }
}
