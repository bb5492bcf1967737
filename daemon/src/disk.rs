//! Free space: a job begins only when what it will write fits.

use std::{
    io,
    path::{Path, PathBuf},
};

use framepack_config::parameters;
use framepack_jobs::{Bytes, Job};
use nix::sys::statvfs::statvfs;
use thiserror::Error;

/// A section's checkpoint at a bucket of 640: 9 latent frames of 16 channels in f32, those of the context, and the
/// start latent, rounded up.
const SECTION_BYTES: u64 = 16 << 20;
/// Pixels of the bucket that this is measured at.
const SECTION_BUCKET_PX: u64 = 640;
/// A second of video, lossless ones excepted.
const SECOND_BYTES: u64 = 2 << 20;
/// Video of a section.
const SECTION_SECS: f64 = 1.2;

/// Too little room for a job.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{} has {} free, and the next job needs {}: free some, or lower disk.reserve_mib",
    path.display(), Bytes(*free_bytes), Bytes(*needed_bytes)
)]
pub(crate) struct DiskFull {
    pub(crate) path: PathBuf,
    pub(crate) needed_bytes: u64,
    pub(crate) free_bytes: u64,
}

/// What is looked at before a job begins.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    /// On the file system of the checkpoints.
    pub(crate) work: PathBuf,
    /// On that of the videos.
    pub(crate) outputs: PathBuf,
    /// Space that stays free beside what the job needs.
    pub(crate) reserve_bytes: u64,
}

impl Room {
    /// Whether the job fits. Where the free space can't be told, what it writes will tell.
    pub(crate) fn check(&self, job: &Job) -> Result<(), DiskFull> {
        let (checkpoints, video) = (checkpoint_bytes(job), video_bytes(job));
        for (path, bytes) in [(&self.work, checkpoints), (&self.outputs, video)] {
            let needed_bytes = bytes + self.reserve_bytes;
            let Ok(free_bytes) = free_bytes(path) else {
                continue;
            };
            if free_bytes < needed_bytes {
                return Err(DiskFull {
                    path: path.clone(),
                    needed_bytes,
                    free_bytes,
                });
            }
        }
        Ok(())
    }
}

/// Bytes that the daemon may still write where `path` lies.
pub(crate) fn free_bytes(path: &Path) -> io::Result<u64> {
    let space = statvfs(path)?;
    Ok(space.blocks_available() as u64 * space.fragment_size() as u64)
}

fn checkpoint_bytes(job: &Job) -> u64 {
    let bucket = job
        .spec
        .size
        .bucket
        .unwrap_or(parameters::DEFAULT_BUCKET_PX);
    let bucket = u64::from(bucket);
    let sections = (job.spec.length.secs / SECTION_SECS).ceil() as u64;
    sections * SECTION_BYTES * bucket * bucket / (SECTION_BUCKET_PX * SECTION_BUCKET_PX)
}

fn video_bytes(job: &Job) -> u64 {
    job.spec.length.secs.ceil() as u64 * SECOND_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_is_said() {
        let full = DiskFull {
            path: "/videos".into(),
            needed_bytes: 300 << 20,
            free_bytes: 12 << 20,
        };
        assert_eq!(
            full.to_string(),
            "/videos has 12.0 MiB free, and the next job needs 0.29 GiB: free some, or lower disk.reserve_mib"
        );
    }

    #[test]
    fn free_space_is_that_of_the_file_system() {
        let dir = tempfile::tempdir().unwrap();
        assert!(free_bytes(dir.path()).unwrap() > 0);
        assert!(free_bytes(&dir.path().join("none")).is_err());
    }
}
