//! Two videos that are known to be good, of eight frames each: what a decoder that works decodes.
//!
//! Made by `ffmpeg -f lavfi -i testsrc=size=64x64:rate=30 -frames:v 8 -c:v libx264 -pix_fmt yuv420p`, with `-crf 23` and
//! `-qp 0`, so that they have the two profiles of the videos that a job may ask for.

use std::{
    io::{self, Write},
    path::Path,
};

use tempfile::NamedTempFile;

/// A known video.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clip {
    /// Profile High, which everything plays.
    High,
    /// Profile High 4:4:4 Predictive, which some decoders lack.
    Lossless,
}

pub(super) const FRAMES: u32 = 8;
pub(super) const FPS: u32 = 30;

impl Clip {
    /// The one with the profile of videos with this rate factor.
    pub(super) fn like(crf: u8) -> Self {
        if crf == 0 { Self::Lossless } else { Self::High }
    }

    /// Puts it into a folder, until it is dropped.
    pub(super) fn write_in(self, folder: &Path) -> io::Result<NamedTempFile> {
        let bytes: &[u8] = match self {
            Self::High => include_bytes!("high.mp4"),
            Self::Lossless => include_bytes!("lossless.mp4"),
        };
        let mut file = tempfile::Builder::new()
            .prefix(".framepack-clip-")
            .suffix(".mp4")
            .tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.flush()?;
        Ok(file)
    }
}
