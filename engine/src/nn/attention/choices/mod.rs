//! What is used on one device: a backend for each class of shapes, kept in a file.
//!
//! The mode `auto` takes what is noted or what people wrote, `aggressive` what was measured. Where the file
//! is wrong, torch's own choice is used.

mod kept;

pub use self::kept::by_hand;
pub(crate) use self::kept::{Choices, lacking};
