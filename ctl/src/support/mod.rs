//! The archive for whoever helps: how the farm is, with prompts and pictures left out unless they are asked for.
//!
//! - `collection`: what the daemon tells; `system`: what the machine tells, also while the daemon is down
//! - `redaction`: what of it is left out; `passages`: a prompt's words, wherever they are quoted
//! - `archive`: the file

mod archive;
mod collection;
mod passages;
mod redaction;
mod system;

pub(crate) use self::{
    archive::{Compression, write},
    collection::collect,
    redaction::{Privacy, Redaction, Shown},
};

/// A file of the archive.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    /// Its path in the archive.
    pub(crate) name: String,
    pub(crate) content: Content,
}

/// What is in a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    Json(serde_json::Value),
    /// One JSON value a line; what is none stays a text.
    Lines(Vec<serde_json::Value>),
    Text(String),
    /// A picture, which was asked for.
    Picture(Vec<u8>),
}

/// Everything that was found, and what could not be.
#[derive(Debug, Default)]
pub(crate) struct Collection {
    pub(crate) members: Vec<Member>,
    pub(crate) missing: Vec<String>,
}

impl Collection {
    fn add(&mut self, name: impl Into<String>, content: Content) {
        let name = name.into();
        self.members.push(Member { name, content });
    }
}
