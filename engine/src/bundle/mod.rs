//! A model bundle: where each component's folder is, and which files are in them.

mod files;

pub use framepack_bundle::{Bundle, Component};

pub(crate) use self::files::EncoderFiles;
