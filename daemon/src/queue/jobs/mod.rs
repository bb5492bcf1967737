//! All jobs: a table, the index of what is looked up often, and the store that outlives the daemon.
//!
//! - `table`: the owner, and the only one who writes records
//! - `index`: ways to a job other than its number; `kept`: how long a job that has ended needs its files
//! - `import`: records of another store

mod import;
mod index;
mod kept;
mod table;

pub(crate) use self::{import::exported, kept::is_kept};
pub(super) use self::{import::import, table::Jobs};

#[cfg(test)]
mod tests;
