//! Free space: a job begins only when what it will write fits.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use framepack_jobs::{Bytes, Job, settings};
use thiserror::Error;

use crate::file::free_bytes;

/// A section's checkpoint at a bucket of 640: 9 latent frames of 16 channels in f32, those of the context, and the
/// start latent, rounded up.
const SECTION_BYTES: u64 = 16 << 20;
/// Pixels of the bucket that this is measured at.
const SECTION_BUCKET_PX: u64 = 640;
/// A second of video, lossless ones excepted.
const SECOND_BYTES: u64 = 2 << 20;
/// Video of a section.
const SECTION_SECS: f64 = 1.2;
/// Frames of a section, and the bytes of a pixel, as they wait for the end of the job.
const SECTION_FRAMES: u64 = 36;
const PIXEL_BYTES: u64 = 3;
/// Frames of the pieces that wait for a section's end: six of 17 frames for each of two sections. A value of theirs has up
/// to four bytes.
const PIECES_FRAMES: u64 = 2 * 6 * 17;
const VALUE_BYTES: u64 = 4;

/// Too little room for a job.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{} has {} free, but the next job needs {} (running jobs included): free some space, or lower disk.reserve_mib",
    path.display(), Bytes(*free_bytes), Bytes(*needed_bytes)
)]
pub(crate) struct DiskFull {
    pub(crate) path: PathBuf,
    pub(crate) needed_bytes: u64,
    pub(crate) free_bytes: u64,
}

/// Space that stays free beside what jobs need; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Reserve(Arc<AtomicU64>);

impl Reserve {
    pub(super) fn new(mib: u64) -> Self {
        Self(Arc::new(AtomicU64::new(mib)))
    }

    /// So much from now on.
    pub(super) fn replace(&self, mib: u64) {
        self.0.store(mib, Ordering::Relaxed);
    }

    pub(super) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed) << 20
    }
}

/// What jobs will write, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Needs {
    /// On the file system of the checkpoints.
    work_bytes: u64,
    /// On that of the videos.
    video_bytes: u64,
}

impl Needs {
    /// What these jobs will write together. What running ones have written already counts twice, which errs on the safe
    /// side.
    pub(crate) fn of<'j>(jobs: impl Iterator<Item = &'j Job>) -> Self {
        jobs.fold(Self::default(), |sum, job| Self {
            work_bytes: sum.work_bytes + work_bytes(job),
            video_bytes: sum.video_bytes + video_bytes(job),
        })
    }

    /// Whether it fits, with `reserve_bytes` to spare. Where the free space is unknown, writing will show.
    pub(super) fn fit(
        self,
        work: &Path,
        videos: &Path,
        reserve_bytes: u64,
    ) -> Result<(), DiskFull> {
        let fits = |path: &Path, bytes: u64| {
            let needed_bytes = bytes + reserve_bytes;
            match free_bytes(path) {
                Ok(free_bytes) if free_bytes < needed_bytes => Err(DiskFull {
                    path: path.to_owned(),
                    needed_bytes,
                    free_bytes,
                }),
                _ => Ok(()),
            }
        };
        if on_one_file_system(work, videos) {
            return fits(work, self.work_bytes + self.video_bytes);
        }
        fits(work, self.work_bytes)?;
        fits(videos, self.video_bytes)
    }
}

fn on_one_file_system(one: &Path, other: &Path) -> bool {
    let device = |path| fs::metadata(path).map(|folder| folder.dev()).ok();
    device(one).is_some_and(|found| Some(found) == device(other))
}

fn work_bytes(job: &Job) -> u64 {
    let spec = job.rendered_spec();
    sections_bytes(
        spec.length.secs,
        spec.size.bucket.unwrap_or(settings::DEFAULT_BUCKET_PX),
    )
}

/// Checkpoints, the finished frames, which wait in files for the last one, and what is kept of those to come.
fn sections_bytes(secs: f64, bucket_px: u32) -> u64 {
    let pixels = u64::from(bucket_px).pow(2);
    let checkpoint = SECTION_BYTES * pixels / SECTION_BUCKET_PX.pow(2);
    let sections = (secs / SECTION_SECS).ceil() as u64;
    sections * (checkpoint + SECTION_FRAMES * pixels * PIXEL_BYTES)
        + PIECES_FRAMES * pixels * PIXEL_BYTES * VALUE_BYTES
}

fn video_bytes(job: &Job) -> u64 {
    job.rendered_spec().length.secs.ceil() as u64 * SECOND_BYTES
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
            "/videos has 12.0 MiB free, but the next job needs 0.29 GiB (running jobs included): free some space, or lower disk.reserve_mib"
        );
    }

    #[test]
    fn a_job_needs_room_for_its_checkpoints_and_frames() {
        let frames = 120 * 30 * 640 * 640 * 3;
        let bytes = sections_bytes(120.0, 640);
        assert!((frames + (1 << 30)..2 * frames).contains(&bytes), "{bytes}");
        assert!(sections_bytes(120.0, 320) < bytes / 3);
        let pieces = sections_bytes(1.2, 640) - (bytes - sections_bytes(118.8, 640));
        assert_eq!(pieces, 12 * 17 * 640 * 640 * 3 * 4);
    }
}
