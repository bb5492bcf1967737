//! The YAML that people write: the 1.2 core schema as a plain tree, within limits.
//!
//! No tags, no merge keys, every key a string and unique; size, depth and (after aliases are
//! expanded) the number of nodes are bounded, so that no file can make the daemon swell.
//! `yes` and `no` are words, not booleans.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Largest accepted file, and most text in it, aliases expanded.
pub const MAX_BYTES: usize = 1 << 20;
/// Deepest accepted nesting.
pub const MAX_DEPTH: usize = 32;
/// Longest accepted key.
pub const MAX_KEY_BYTES: usize = 128;
/// Most accepted nodes, aliases expanded.
pub const MAX_NODES: usize = 10_000;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Int(i128),
    /// A number with a point, an exponent, `.inf` or `.nan`.
    Float(f64),
    /// Text.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order of the file.
    Map(Vec<(String, Node)>),
}

/// A place in a file, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

impl fmt::Display for Node {
    /// The value as an error message quotes it: scalars themselves, the rest by kind.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const QUOTED_CHARS: usize = 40;
        match self {
            Self::Null => f.write_str("nothing"),
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Text(text) if text.chars().count() <= QUOTED_CHARS => write!(f, "`{text}`"),
            Self::Text(text) => {
                let start: String = text.chars().take(QUOTED_CHARS).collect();
                write!(f, "`{start}…`")
            }
            Self::List(_) => f.write_str("a list"),
            Self::Map(_) => f.write_str("a mapping"),
        }
    }
}

/// Path of `key` below `path`: `guidance` and `cfg` make `guidance.cfg`.
pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}
