//! The queue as users see it: who runs, who is next, who waits for what.

use framepack_ipc::queue::{QueueEntry, QueueView, Standing};
use framepack_jobs::{Dependency, Job, JobState, Timestamp};

use super::{
    Queue,
    schedule::{Eligibility, LocalTime, SchedulingContext, Turn, TurnReason, Wait, Warm},
};

impl Queue {
    /// The jobs that have not ended, in the order in which they will run.
    pub(super) fn view(&self) -> QueueView {
        let context = self.context(LocalTime::now());
        let running = self.index.running().iter().map(|id| &self.jobs[id].job);
        let mut jobs: Vec<QueueEntry> = running.map(entry_of_running).collect();
        jobs.extend(self.turns_to_come(&context));
        jobs.extend(context.queued().filter_map(|job| match context.judge(job) {
            Eligibility::Waits(wait) => Some(entry_of_waiting(job, &wait)),
            _ => None,
        }));
        QueueView {
            paused: self.paused(),
            paused_groups: self.scheduler.pauses.groups.iter().cloned().collect(),
            jobs,
        }
    }

    /// The jobs that may begin. Which of several devices is free first is not known: they take turns.
    fn turns_to_come(&self, context: &SchedulingContext<'_>) -> Vec<QueueEntry> {
        let mut lineup = context.lineup(&self.scheduler.overtaken);
        let devices = self.workers.keys();
        let mut warm: Vec<Option<Warm>> = devices
            .map(|device| self.scheduler.warm.get(device).copied())
            .collect();
        if warm.is_empty() {
            warm.push(None);
        }
        let count = warm.len();
        let mut entries = Vec::new();
        for turn in 0_u32.. {
            let warm = &mut warm[turn as usize % count];
            let Some(next) = lineup.next(*warm) else {
                break;
            };
            *warm = Some(Warm::after(next.job));
            entries.push(QueueEntry {
                turn: Some(turn + 1),
                ..entry(next.job, Standing::Ready, reason(&next))
            });
        }
        entries
    }

    /// Why no job begins, while that is so.
    pub(super) fn paused(&self) -> Option<String> {
        if self.scheduler.pauses.all {
            return Some("the queue is paused; `framepackctl resume --all` resumes it".to_owned());
        }
        if let Some((full, _)) = &self.scheduler.no_room {
            return Some(full.to_string());
        }
        self.trouble
            .as_ref()
            .map(|trouble| format!("the store can't be written: {trouble}"))
    }
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
    }
}

fn entry_of_running(job: &Job) -> QueueEntry {
    match &job.state {
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

fn reason(turn: &Turn<'_>) -> String {
    match turn.why {
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
        Wait::Window { window, opens } => waiting(
            format!("waiting for its window {window}, which opens at {opens}"),
            Some(*opens),
        ),
    }
}
