//! What is told of the farm beside its jobs: devices that come and go, pauses, and whether there is work.

use std::collections::BTreeMap;

use framepack_ipc::{
    control::{WorkerState, WorkerStatus},
    event::{Event, EventName, EventType, Facts},
};
use framepack_jobs::JobState;

use super::{
    core::Queue,
    order::Part,
    schedule::{Eligibility, LocalTime, Wait},
};

/// What was told of the farm.
#[derive(Debug)]
pub(super) struct ToldFarm {
    devices: BTreeMap<String, EventName>,
    is_idle: bool,
}

impl ToldFarm {
    /// Of its devices nothing was told by this daemon.
    pub(super) fn new(was_idle: bool) -> Self {
        Self {
            devices: BTreeMap::new(),
            is_idle: was_idle,
        }
    }

    /// A worker is like this now. Returns what that is told as.
    pub(super) fn worker(&mut self, status: &WorkerStatus) -> Option<Event> {
        let told = self.devices.get(&status.device).copied();
        let name = match (status.state, told) {
            (WorkerState::Idle | WorkerState::Busy, _) => EventName::Up,
            (WorkerState::Faulty, _) => EventName::Faulty,
            (_, Some(EventName::Faulty)) => EventName::Enabled,
            (WorkerState::Down, _) => EventName::Down,
            (WorkerState::Starting | WorkerState::Unknown, _) => return None,
        };
        if told == Some(name) {
            return None;
        }
        self.devices.insert(status.device.clone(), name);
        let outage = status.outage.as_deref();
        let facts = Facts {
            device: Some(status.device.clone()),
            code: outage.map(|outage| outage.code.to_string()),
            message: match outage {
                Some(outage) => Some(outage.message.clone()),
                None => status.note.clone(),
            },
            hint: outage.and_then(|outage| outage.hint.clone()),
            ..Facts::default()
        };
        Some(Event::now(EventType::Device, name, facts))
    }

    /// Whether there is work. Returns what that is told as.
    fn work(&mut self, is_idle: bool) -> Option<Event> {
        let is_new = std::mem::replace(&mut self.is_idle, is_idle) != is_idle;
        let name = if is_idle {
            EventName::Idle
        } else {
            EventName::Busy
        };
        is_new.then(|| Event::now(EventType::Farm, name, Facts::default()))
    }
}

/// The queue or a group starts no job, or it does again.
pub(super) fn pause(part: &Part, is_paused: bool) -> Event {
    let name = if is_paused {
        EventName::Paused
    } else {
        EventName::Resumed
    };
    let group = match part {
        Part::Group(group) => Some(group.clone()),
        Part::All => None,
    };
    let facts = Facts {
        group,
        ..Facts::default()
    };
    Event::now(EventType::Farm, name, facts)
}

/// Tells whether there is work, if that has changed.
pub(super) fn look_for_work(queue: &mut Queue) {
    let is_idle = is_idle(queue);
    if let Some(event) = queue.farm.work(is_idle) {
        queue.jobs.tell(event);
    }
}

/// Whether nothing runs and nothing is ready to start. Jobs that are held or paused are no work, nor are those that wait
/// for a time, another job or the farm; one between two attempts is.
pub(super) fn is_idle(queue: &Queue) -> bool {
    let is_paused = |state: &JobState| matches!(state, JobState::Running { paused: true, .. });
    let mut running = queue.jobs.running();
    if running.any(|record| !is_paused(&record.job.state)) || !queue.runs.preparing().is_empty() {
        return false;
    }
    if queue.schedule.is_paused() {
        return true;
    }
    let context = queue
        .schedule
        .context(&queue.jobs, LocalTime::now(&queue.clock));
    context.queued().all(|job| match context.judge(job) {
        Eligibility::Ready | Eligibility::Expired | Eligibility::Fails(_) => false,
        Eligibility::Waits(wait) => !matches!(wait, Wait::Retry(_)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(states: &[WorkerState]) -> Vec<EventName> {
        let mut farm = ToldFarm::new(true);
        let status = |state| WorkerStatus {
            device: "cpu".to_owned(),
            device_name: None,
            state,
            note: None,
            temperature: None,
            outage: None,
        };
        let events = states
            .iter()
            .filter_map(|state| farm.worker(&status(*state)));
        events.map(|event| event.event).collect()
    }

    #[test]
    fn a_device_is_told_of_when_it_comes_and_goes() {
        use WorkerState::{Busy, Down, Faulty, Idle, Starting};
        assert_eq!(told(&[Starting, Idle, Busy, Idle]), [EventName::Up]);
        assert_eq!(
            told(&[Starting, Down, Starting, Down, Starting, Idle]),
            [EventName::Down, EventName::Up]
        );
        assert_eq!(
            told(&[Starting, Idle, Down, Faulty, Faulty, Starting, Idle]),
            [
                EventName::Up,
                EventName::Down,
                EventName::Faulty,
                EventName::Enabled,
                EventName::Up
            ]
        );
    }

    #[test]
    fn work_is_told_of_when_it_begins_and_ends() {
        let mut farm = ToldFarm::new(true);
        let events = [true, false, false, true].map(|is_idle| farm.work(is_idle));
        let names = events.into_iter().flatten().map(|event| event.event);
        assert!(names.eq([EventName::Busy, EventName::Idle]));
    }
}
