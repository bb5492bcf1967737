//! What can go wrong between frames and a file.

use std::io;
use std::path::PathBuf;

use framepack_jobs::Code;
use thiserror::Error;

use crate::picture::Size;

/// Why there is no video.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VideoError {
    /// Reading or writing a file failed.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was being done: `creating`, `writing`, `renaming`.
        doing: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// 4:2:0 video needs even sides, and libx264 has limits.
    #[error("a video of {size} pixels cannot be encoded: both sides must be even, from 2 to 16384")]
    Size {
        /// The size asked for.
        size: Size,
    },
    /// libx264 refused its parameters or failed on a frame.
    #[error("H.264 encoder: {message}")]
    Encoder {
        /// What libx264 said.
        message: String,
    },
    /// A frame has another size than the video.
    #[error("a frame has {found_bytes} bytes of RGB where the video's size needs {expected_bytes}")]
    FrameSize {
        /// Width times height times 3.
        expected_bytes: usize,
        /// What was pushed.
        found_bytes: usize,
    },
    /// The video was finished before its first frame.
    #[error("a video without frames")]
    NoFrames,
    /// The file is not the mp4 that it should be.
    #[error("the mp4 file {}: {reason}", path.display())]
    Mp4 {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file read back is not what was written.
    #[error("the written video {} has {what} {found} instead of {expected}", path.display())]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
        /// What was written.
        expected: String,
        /// What was read.
        found: String,
    },
    /// The file can't be decoded again.
    #[error("the written video {} could not be decoded: {reason}", path.display())]
    Undecodable {
        /// The file.
        path: PathBuf,
        /// What `ffmpeg` said of it, or did.
        reason: String,
    },
    /// Every frame of the file is black.
    #[error("every frame of the written video {} is black", path.display())]
    Black {
        /// The file.
        path: PathBuf,
    },
}

impl VideoError {
    /// The error's code.
    pub fn code(&self) -> Code {
        match self {
            Self::Io { .. } => Code::VIDEO_IO,
            Self::Size { .. } => Code::VIDEO_SIZE,
            Self::Encoder { .. } => Code::VIDEO_ENCODER,
            Self::FrameSize { .. } => Code::VIDEO_FRAME_SIZE,
            Self::NoFrames => Code::VIDEO_WITHOUT_FRAMES,
            Self::Mp4 { .. } => Code::VIDEO_MALFORMED,
            Self::Mismatch { .. } => Code::VIDEO_DIFFERS,
            Self::Undecodable { .. } => Code::VIDEO_UNDECODABLE,
            Self::Black { .. } => Code::VIDEO_BLACK,
        }
    }
}
