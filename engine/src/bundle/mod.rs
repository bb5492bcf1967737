//! A model bundle: where each component's folder is, and which files are in them.

mod files;
mod layout;

pub(crate) use self::files::EncoderFiles;
pub use self::layout::{Bundle, Component};
