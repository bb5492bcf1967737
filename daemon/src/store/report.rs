//! The report on a store: what it holds, how much room it takes, and what is wrong with its journal.

use framepack_ipc::state::StateReport;

use super::{
    error::StoreError,
    journal::{Contents, Journal},
    location::Location,
    repairs,
};
use crate::file::free_bytes;

/// What the journal of a store holds that nobody writes.
pub(super) fn peek(location: &Location) -> Result<Contents, StoreError> {
    Journal::peek(&location.journal()).map_err(StoreError::Journal)
}

/// The report on a store of which the journal was read; whoever read the database adds what it says.
pub(super) fn report(location: &Location, contents: &Contents) -> Result<StateReport, StoreError> {
    let problems = match contents.damaged_lines {
        0 => Vec::new(),
        lines => vec![format!("{lines} lines of the journal can't be read")],
    };
    Ok(StateReport {
        jobs: contents.jobs() as u64,
        seq: contents.seq,
        store_bytes: location.database_bytes(),
        journal_bytes: contents.bytes,
        free_bytes: free_bytes(&location.state)?,
        needed_bytes: location.needed_bytes(),
        problems,
        repairs: repairs::read(location),
    })
}
