//! Scripts that start the Python application, as `start.sh` and Windows' `run.bat`: their commands, with what each gets in
//! its environment.
//!
//! Written here and not taken from a library, since a place is told for each word, since what a shell would put in the place
//! of `$NAME` has to be left out with its name, and since commands matter: none of the libraries for shell words knows of
//! either. Nothing is executed or expanded.

mod assignment;
mod command;
mod comment;
mod lex;
mod line;
mod program;
mod shell;

pub(super) use command::{Command, Script, commands};
pub(super) use comment::{commented, uncommented};
pub(super) use lex::Word;
pub(super) use program::stem;
