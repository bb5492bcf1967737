//! The journal: every change of every job as a line, written and synced before the database has it.
//!
//! ```text
//! state/journal/000007.ndjson    lines that [`Entry`] describes; the last file grows
//! state/journal/000008.ndjson
//! ```
//!
//! The database is rebuilt from it when it lost something. When the files have grown, they are replaced by one with
//! the latest line of each job that has not ended and of the [`RECENT`] that ended last.
//!
//! ```text
//! append      the journal, open for writing
//! entry       one line
//! read        what the files say, however they were left
//! ```

mod append;
mod entry;
mod read;

pub(crate) use self::{
    append::{Journal, RECENT},
    entry::{Entry, EntryEvent},
    read::Contents,
};
