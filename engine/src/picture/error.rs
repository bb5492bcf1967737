//! What can be wrong with an image.

use std::io;
use std::path::{Path, PathBuf};

use framepack_jobs::{
    Code,
    picture::{CONVERT, Unfit},
};
use thiserror::Error;

use super::size::MAX_FILE_BYTES;

/// Why an image cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PictureError {
    /// The file cannot be opened or read.
    #[error("the image {} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder, a pipe or a device.
    #[error("the image {} is not a regular file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// Its first bytes or its header speak against it.
    #[error("the image {} {unfit}", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What does.
        unfit: Unfit,
    },
    /// The file is larger than any acceptable picture.
    #[error("the image {} has {bytes} bytes, more than {MAX_FILE_BYTES}", path.display())]
    FileTooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        bytes: u64,
    },
    /// Intact, as far as can be told, and of a variant that is not supported.
    #[error("the image {} is of a variant that is not read: {reason}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        reason: String,
    },
    /// Truncated or damaged.
    #[error("the image {} cannot be decoded: {reason}", path.display())]
    Undecodable {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        reason: String,
    },
}

impl PictureError {
    /// The same about the picture under the name by which its user knows it.
    #[must_use]
    pub fn naming(mut self, name: &Path) -> Self {
        let (Self::Unreadable { path, .. }
        | Self::NotAFile { path }
        | Self::Unfit { path, .. }
        | Self::FileTooLarge { path, .. }
        | Self::Unsupported { path, .. }
        | Self::Undecodable { path, .. }) = &mut self;
        name.clone_into(path);
        self
    }

    /// Whether the picture itself is at fault, and not the way to it.
    pub(crate) fn is_of_content(&self) -> bool {
        !matches!(self, Self::Unreadable { .. } | Self::NotAFile { .. })
    }

    /// The error's code.
    pub fn code(&self) -> Code {
        match self {
            Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Code::IMAGE_GONE
            }
            Self::Unreadable { .. } => Code::IMAGE_UNREADABLE,
            Self::NotAFile { .. } => Code::IMAGE_NOT_A_FILE,
            Self::Unfit { unfit, .. } => unfit.code(),
            Self::FileTooLarge { .. } => Code::IMAGE_TOO_LARGE,
            Self::Unsupported { .. } | Self::Undecodable { .. } => Code::IMAGE_DAMAGED,
        }
    }

    /// What to do, where that is more than the code's hint says.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unfit { unfit, .. } => unfit.hint(),
            Self::Unsupported { .. } => Some(CONVERT),
            Self::Undecodable { .. } => Unfit::Truncated.hint(),
            _ => None,
        }
    }
}
