//! Coming from the Python application: what its environment variables, flags and start lines mean here.
//!
//! [`variables`] and [`FLAGS`] have every name, with its values there, its meaning here, and what it really did there.
//! docs/FROM-FRAMEPACK.md is made from them. [`settings`] reads the daemon's own environment by these names, and
//! [`import()`] a script that starts the application. Nothing here touches the disk or the environment.

mod arguments;
mod cache;
mod given;
mod import;
mod name;
mod script;
mod storage;
mod table;
mod translate;
mod translated;
mod write;

pub use import::{Imported, Pick, import};
pub use name::{Meaning, Name, Rule, Values};
pub use table::{FLAGS, FUNCTIONS, PARAMETERS, Parameter, START_LINES, StartLine, variables};
pub use translate::settings;
pub use translated::{Meant, Note, Translated};

#[cfg(test)]
mod tests;
