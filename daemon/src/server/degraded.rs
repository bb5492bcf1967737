//! What does not work as it should, though the daemon goes on.

use framepack_ipc::control::{Note, Outage};

use super::service::Service;
use crate::queue::Summary;

/// All notes; `full`: that a job would have no room.
pub(super) fn degraded(service: &Service, summary: &Summary, full: Option<Note>) -> Vec<Note> {
    let mut degraded = service.folder.borrow().notes.clone();
    degraded.extend(service.store.repairs());
    degraded.extend(full);
    degraded.extend(service.disk.notes());
    degraded.extend(service.clock.note());
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
