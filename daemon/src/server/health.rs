//! What does not work as it should: for `ping`, and as events when it comes and goes.

use std::{collections::BTreeMap, time::Duration};

use framepack_ipc::{
    control::{Note, Outage},
    event::{Event, EventName, EventType, Facts},
};
use framepack_jobs::Code;
use tokio::time::{MissedTickBehavior, interval};

use super::service::Service;
use crate::queue::{Stopping, Summary};

/// Time between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// All that is wrong now; `full`: that a job would have no room.
pub(super) fn degraded(service: &Service, summary: &Summary, full: Option<Note>) -> Vec<Note> {
    let mut degraded = service.folder.borrow().notes.clone();
    degraded.extend(service.store.repairs());
    degraded.extend(full);
    degraded.extend(service.disk.notes());
    degraded.extend(service.clock.note());
    degraded.extend(service.reloader.note());
    degraded.extend(summary.outages.iter().map(note));
    degraded
}

fn note(outage: &Outage) -> Note {
    Note {
        code: outage.code.clone(),
        message: outage.message.clone(),
        hint: outage.hint.clone(),
    }
}

/// That a job would have no room: one that was tried, or one that would be.
pub(super) async fn full(service: &Service, summary: &Summary) -> Option<Note> {
    if let Some(full) = &summary.disk_full {
        return Some(full.clone());
    }
    let full = service.disk.room().await.err()?;
    Some(Note::new(Code::DISK_FULL, full.to_string()))
}

/// Tells of what comes and goes until the daemon stops.
pub(crate) async fn tell_health(service: Service) {
    let mut looks = interval(PAUSE);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = Told::default();
    loop {
        looks.tick().await;
        if told.look(&service).await.is_err() {
            return;
        }
    }
}

/// What was told, by its code: its words change with every number in them.
#[derive(Debug, Default)]
struct Told(BTreeMap<String, Note>);

impl Told {
    async fn look(&mut self, service: &Service) -> Result<(), Stopping> {
        let summary = service.queue.summary().await?;
        let full = full(service, &summary).await;
        for event in self.changes(degraded(service, &summary, full)) {
            service.queue.tell_of(event).await?;
        }
        Ok(())
    }

    fn changes(&mut self, notes: Vec<Note>) -> Vec<Event> {
        let mut now = BTreeMap::new();
        for note in notes {
            now.entry(note.code.to_string()).or_insert(note);
        }
        let before = std::mem::replace(&mut self.0, now);
        let is_over = before
            .iter()
            .filter(|(code, _)| !self.0.contains_key(*code));
        let is_new = self
            .0
            .iter()
            .filter(|(code, _)| !before.contains_key(*code));
        let mended = is_over.map(|(_, note)| event(EventName::Mended, note));
        let degraded = is_new.map(|(_, note)| event(EventName::Degraded, note));
        mended.chain(degraded).collect()
    }
}

fn event(name: EventName, note: &Note) -> Event {
    let facts = Facts {
        code: Some(note.code.to_string()),
        message: Some(note.message.clone()),
        // Nothing is left to do.
        hint: note.hint.clone().filter(|_| name == EventName::Degraded),
        ..Facts::default()
    };
    Event::now(EventType::Farm, name, facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_and_goes_is_told_once() {
        let full = |free| Note::new(Code::DISK_FULL, format!("{free} MiB free"));
        let lost = || Note::new(Code::STORE_LOST, "gone");
        let mut told = Told::default();
        let mut names = |notes| {
            let events = told.changes(notes).into_iter();
            let named = events.map(|event| (event.event, event.facts.code.unwrap()));
            named.collect::<Vec<_>>()
        };
        let disk = Code::DISK_FULL.as_str().to_owned();
        let store = Code::STORE_LOST.as_str().to_owned();
        assert_eq!(names(vec![full(3)]), [(EventName::Degraded, disk.clone())]);
        assert_eq!(names(vec![full(2)]), []);
        assert_eq!(
            names(vec![lost()]),
            [(EventName::Mended, disk), (EventName::Degraded, store)]
        );
    }
}
