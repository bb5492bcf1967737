//! Everything that can end a job inside the engine, and how it is reported.

use std::{fmt, io, path::PathBuf};

use framepack_bundle::BundleError;
use framepack_jobs::{Bytes, Code, Failure, Row};
use thiserror::Error;

use super::{
    plan::PlanError,
    shortage::{MemoryKind, Shortage},
    tokenizer::TokenizerError,
    video::VideoError,
};
use crate::{picture::PictureError, weights::WeightsError};

/// Why the engine stopped.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A model's weights or its configuration cannot be used.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The job does not fit into memory.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The start image cannot be used.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// The video could not be encoded, written or verified.
    #[error(transparent)]
    Video(#[from] VideoError),
    /// A tokenizer of the bundle cannot be used.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// Device or host memory ran out; the device is still usable.
    #[error("{0}")]
    OutOfMemory(Box<Shortage>),
    /// Everything that could leave the device left it, and there is still too little room.
    #[error(
        "{} of device memory are needed and {} are free: {} hold weights in use, the rest belongs to other programs",
        Bytes(*target_bytes), Bytes(*free_bytes), Bytes(*held_bytes)
    )]
    VramShort {
        /// What was to be made free.
        target_bytes: u64,
        /// What is.
        free_bytes: u64,
        /// What this worker's weights hold.
        held_bytes: u64,
    },
    /// The device or its driver failed; the process cannot use the device any more.
    #[error("device failure: {message}")]
    Device {
        /// Torch's account of it.
        message: String,
    },
    /// There is no such device.
    #[error("no device {name:?}: {reason}")]
    NoDevice {
        /// The name that was asked for.
        name: String,
        /// Why there is none.
        reason: String,
    },
    /// An attention backend was asked for that the device lacks, or that does not take the model's type or heads.
    #[error("attention backend {backend} {absence}: available are {}", available.join(", "))]
    NoAttentionBackend {
        /// Its name.
        backend: &'static str,
        /// Where it is missing, or what switched it off.
        absence: String,
        /// Names of those that are.
        available: Vec<&'static str>,
    },
    /// An operation of torch failed for another reason: a bug.
    #[error("torch: {message}")]
    Torch {
        /// Torch's account of it.
        message: String,
    },
    /// An invariant of the engine does not hold: a bug.
    #[error("internal error at {place}: {message}")]
    Internal {
        /// File, line and column of the source.
        place: String,
        /// What was promised.
        message: String,
    },
    /// Reading or writing a file failed.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was being done: `reading`, `writing`.
        doing: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// The bundle lacks something that the job needs, or its `framepack.json` cannot be used.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The job has a setting that this worker does not carry out.
    #[error("{key} is not available in this version of the worker")]
    Setting {
        /// The setting's key.
        key: String,
    },
    /// The job has a setting whose value is none.
    #[error("{key}: {reason}")]
    SettingValue {
        /// The setting's key.
        key: String,
        /// What is wrong with it, with what there is.
        reason: String,
    },
    /// NaN or Inf where numbers should be.
    #[error("NaN or Inf in {what}")]
    Numerics {
        /// Which tensor, at which point of the job.
        what: String,
    },
    /// A user cancelled the job.
    #[error("cancelled")]
    Cancelled,
    /// The run was ended at a checkpoint, to be continued by another one.
    #[error("suspended at a checkpoint")]
    Suspended,
}

impl From<Shortage> for Error {
    fn from(shortage: Shortage) -> Self {
        Self::OutOfMemory(Box::new(shortage))
    }
}

impl Error {
    /// Whether the process must exit because its device context is poisoned.
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::Device { .. })
    }

    /// Whether less memory could have helped.
    pub(crate) fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::OutOfMemory { .. } | Self::VramShort { .. })
    }

    /// Whether torch found too little memory on the device.
    pub(crate) fn is_of_device_memory(&self) -> bool {
        matches!(self, Self::OutOfMemory(shortage) if shortage.memory == MemoryKind::Device)
    }

    /// A shortage of memory with what weights had of it.
    pub(crate) fn of_weights(mut self, bytes: u64) -> Self {
        if let Self::OutOfMemory(shortage) = &mut self
            && shortage.memory == MemoryKind::Device
        {
            shortage.weights_bytes = Some(bytes);
        }
        self
    }

    /// A shortage of memory that nothing helped against.
    pub(crate) fn in_the_end(mut self, doing: String, given_up: Vec<String>) -> Self {
        if let Self::OutOfMemory(shortage) = &mut self {
            shortage.doing = Some(doing);
            shortage.given_up = Some(given_up);
        }
        self
    }

    /// Whether a file could not grow for want of room.
    fn is_disk_full(&self) -> bool {
        let causes = std::iter::successors(Some(self as &dyn std::error::Error), |e| e.source());
        let mut io = causes.filter_map(|cause| cause.downcast_ref::<io::Error>());
        io.any(|error| {
            use io::ErrorKind::{QuotaExceeded, StorageFull};
            matches!(error.kind(), StorageFull | QuotaExceeded)
        })
    }

    /// The error's code.
    fn code(&self) -> Code {
        match self {
            full if full.is_disk_full() => Code::DISK_FULL_MIDWAY,
            Self::Weights(e) => e.code(),
            Self::Plan(e) => e.code(),
            Self::Picture(e) => e.code(),
            Self::Video(e) => e.code(),
            Self::Tokenizer(e) => e.code(),
            Self::OutOfMemory(shortage) => match shortage.memory {
                MemoryKind::Device => Code::OUT_OF_MEMORY,
                MemoryKind::Host => Code::HOST_OUT_OF_MEMORY,
            },
            Self::VramShort { .. } => Code::DEVICE_MEMORY_SHORT,
            Self::Device { .. } => Code::DEVICE_FAILED,
            Self::NoDevice { .. } => Code::DEVICE_MISSING,
            Self::NoAttentionBackend { .. } => Code::ATTENTION_BACKEND,
            Self::Torch { .. } => Code::TORCH,
            Self::Internal { .. } => Code::ENGINE,
            Self::Setting { .. } | Self::SettingValue { .. } => Code::NOT_AVAILABLE,
            Self::Numerics { .. } => Code::NOT_A_NUMBER,
            Self::Io { .. } => Code::FILE_IO,
            Self::Bundle(e) => e.code(),
            Self::Cancelled | Self::Suspended => Code::CANCELLED,
        }
    }

    /// A job that itself asks for a setting's value that the device can't do.
    pub fn not_possible(row: &Row, value: impl fmt::Display, reason: &str) -> Self {
        Self::SettingValue {
            key: row.key.to_owned(),
            reason: format!("{value} is not possible here: {reason}"),
        }
    }

    /// The failure as policy, reports and users see it.
    pub fn failure(&self) -> Failure {
        let failure = Failure::new(self.code(), self.to_string());
        match self {
            Self::Picture(error) => failure.hinting(error.hint()),
            _ => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_other_faults_of_a_file() {
        let writing = |kind: io::ErrorKind| Error::Io {
            path: "/videos/cat.mp4".into(),
            doing: "writing",
            source: kind.into(),
        };
        assert_eq!(writing(io::ErrorKind::StorageFull).failure().code, "FP6020");
        assert_eq!(
            writing(io::ErrorKind::QuotaExceeded).failure().code,
            "FP6020"
        );
        assert_eq!(
            writing(io::ErrorKind::PermissionDenied).failure().code,
            "FP6001"
        );
    }
}
