//! What the configuration and job files are read with.
//!
//! [`parse()`] turns text into a tree of [`Node`]s within limits. [`Document`] takes typed values out of it and collects
//! a [`Problem`] for every mistake, so that a user sees all of them at once, each with line, column and a suggestion.

mod characters;
mod comment;
mod document;
mod encoding;
mod file;
mod json;
mod location;
mod node;
mod parse;
mod problem;
mod refusal;
mod source;
mod suggest;
mod syntax;
mod value;
mod write;

pub use document::Document;
pub use encoding::{NotText, decode};
pub use file::{FileError, read, read_if_present};
pub use location::{Place, locate};
pub use node::{Location, MAX_BYTES, MAX_DEPTH, MAX_KEY_BYTES, MAX_NODES, Node};
pub use parse::{parse, scalar};
pub use problem::{MAX_REPORTED, Problem, ProblemKind, Problems};
pub use source::{Style, Written, shortened, written};
pub use suggest::suggest;
pub use syntax::quoted;
pub use value::{Mistake, no_whole_number};
pub use write::write;
