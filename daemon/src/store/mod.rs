//! The truth about jobs: sled, one record a job, and a journal of every change beside it.
//!
//! ```text
//! commit      the open store: changes are noted, then made durable together
//! journal     each change as a line, synced before the database has it
//! database    sled: what is read at the start
//! difference  what the two do not have in common, and how much of it may be given up
//! open        sled's traps; what the database lacks is taken from the journal
//! disk        both together, in the thread that waits for them
//! error       why the store can't be used
//! location    where they lie, and the room that they need
//! report      what they hold, for people
//! inspect     both while no daemon runs
//! notes       what users decided about the queue as a whole
//! repairs     what was put right, until a user has taken notice
//! view        the store as `framepackctl state` sees it
//! ```

mod commit;
mod database;
mod difference;
mod disk;
mod error;
mod inspect;
mod journal;
mod location;
mod notes;
mod open;
mod repairs;
mod report;
mod view;

pub(crate) use self::{
    commit::Store,
    difference::Opening,
    error::StoreError,
    inspect::inspect,
    location::Location,
    view::{StoreView, acknowledge, records_of_journal, report_of_journal},
};

#[cfg(test)]
mod tests;
