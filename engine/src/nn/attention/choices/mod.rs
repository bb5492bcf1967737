//! What is used on one device: a backend for each class of shapes, kept in a file.
//!
//! The mode `auto` takes what is noted or what people wrote, `aggressive` what was measured.
//!
//! A choice holds for the circumstances under which it was made: on another device, with another driver or build, it
//! is not used. The file can be wrong in any way without failing a job: it is warned of, and torch's own choice is
//! used instead.

mod format;
mod kept;

pub use self::kept::by_hand;
pub(crate) use self::kept::{Choices, lacking};
