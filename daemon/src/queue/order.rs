//! What a user wants changed: of some jobs, or of the queue as a whole, which can only be paused and resumed.

use framepack_ipc::queue::{Boundary, Change, ChangeRequest, Scope};
use framepack_jobs::Selector;

/// A change that makes sense.
#[derive(Debug)]
pub(crate) enum Order {
    /// Of these jobs.
    Jobs(Vec<Selector>, Change),
    /// Of the queue.
    Queue(Part, Pausing),
}

/// A part of the queue.
#[derive(Debug)]
pub(crate) enum Part {
    /// The jobs of a group, and those that will come.
    Group(String),
    All,
}

/// Whether jobs go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pausing {
    /// Queued jobs do not begin; running ones halt there.
    Pause(Boundary),
    Resume,
}

/// The change is one of single jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotForAll;

impl TryFrom<ChangeRequest> for Order {
    type Error = NotForAll;

    fn try_from(request: ChangeRequest) -> Result<Self, NotForAll> {
        let part = match request.scope {
            Scope::Jobs(selectors) => return Ok(Self::Jobs(selectors, request.change)),
            Scope::Group(group) => Part::Group(group),
            Scope::All => Part::All,
        };
        match request.change {
            Change::Pause { at } => Ok(Self::Queue(part, Pausing::Pause(at))),
            Change::Resume => Ok(Self::Queue(part, Pausing::Resume)),
            Change::Cancel
            | Change::CancelKeep
            | Change::Hold
            | Change::Release
            | Change::Priority { .. }
            | Change::Retry { .. } => Err(NotForAll),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pauses_are_for_all() {
        let order = |change| {
            let scope = Scope::All;
            Order::try_from(ChangeRequest { scope, change })
        };
        assert!(matches!(
            order(Change::Resume),
            Ok(Order::Queue(Part::All, Pausing::Resume))
        ));
        assert_eq!(order(Change::Cancel).unwrap_err(), NotForAll);
        assert_eq!(order(Change::Hold).unwrap_err(), NotForAll);
    }
}
