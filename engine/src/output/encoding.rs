//! The video's frames on their way through the encoder, and the pictures that are made of them on the way.
//!
//! A video that grows at its end is encoded on a thread of its own while further sections are sampled; one that grows at
//! its front has its first frame last. The encoder is given the same frames in the same order either way, so every bit is
//! the same.

use std::{path::PathBuf, sync::Arc, thread::JoinHandle};

use crate::{
    checkpoint::{FrameFile, KeptFrames},
    error::Error,
    job::Job,
    picture::{Size, png::ContactSheet, thumbnails::Thumbnails},
    previews::Previews,
    section::FRAMES_PER_SECOND,
    video::{VideoSettings, VideoWriter},
};

/// What frames become.
#[derive(Debug, Clone)]
struct Target {
    path: PathBuf,
    settings: VideoSettings,
    /// How many frames there will be.
    frames: usize,
}

/// Frames that are encoded.
#[derive(Debug)]
pub(super) struct Encoded {
    pub(super) writer: VideoWriter,
    pub(super) sheet: ContactSheet,
    pub(super) strip: Thumbnails,
}

/// The encoding of a video that may not be whole yet. Once dropped it leaves nothing.
#[derive(Debug)]
pub(crate) struct Encoding {
    target: Target,
    /// `None`: it begins when all frames are there.
    begun: Option<Begun>,
}

/// An encoder that takes sections as they are kept.
#[derive(Debug)]
struct Begun {
    /// While it lives the thread goes on; dropped, it ends it with the frame that it is at.
    wanted: Arc<()>,
    thread: JoinHandle<Result<Encoded, Error>>,
}

impl Target {
    fn of(job: &Job) -> Self {
        Self {
            path: job.output.video.clone(),
            settings: VideoSettings {
                size: Size::new(job.plan.width_px, job.plan.height_px),
                fps: FRAMES_PER_SECOND,
                crf: job.output.crf,
            },
            frames: job.plan.frames as usize,
        }
    }

    /// Encodes sections in the order of time, for as long as that is wanted.
    fn encode(
        &self,
        sections: impl IntoIterator<Item = FrameFile>,
        is_wanted: impl Fn() -> bool,
    ) -> Result<Encoded, Error> {
        let size = self.settings.size;
        let mut encoded = Encoded {
            writer: VideoWriter::create(&self.path, self.settings)?,
            sheet: ContactSheet::new(self.frames, size),
            strip: Previews::strip_of(self.frames, size),
        };
        let frame_bytes = size.pixels() as usize * 3;
        for section in sections {
            for frame in section.read()?.chunks_exact(frame_bytes) {
                if !is_wanted() {
                    return Ok(encoded);
                }
                encoded.writer.push_rgb(frame)?;
                encoded.sheet.push_rgb(frame);
                encoded.strip.push_rgb(frame);
            }
        }
        Ok(encoded)
    }
}

impl Encoding {
    /// Begins with the frames that are there, if the first of the video is among them or will be the first to come.
    pub(crate) fn begin(job: &Job, frames: &mut KeptFrames) -> Self {
        Self::of(Target::of(job), frames)
    }

    fn of(target: Target, frames: &mut KeptFrames) -> Self {
        let begun = frames.follow().map(|sections| {
            let wanted = Arc::new(());
            let (target, still_wanted) = (target.clone(), Arc::downgrade(&wanted));
            Begun {
                wanted,
                thread: std::thread::spawn(move || {
                    target.encode(sections, || still_wanted.strong_count() > 0)
                }),
            }
        });
        Self { target, begun }
    }

    /// Waits until all `frames` are encoded. If that failed beside sampling, as on a disk that was full for a while, it is
    /// done once more.
    pub(super) fn finish(self, frames: &mut KeptFrames) -> Result<Encoded, Error> {
        frames.end_follow();
        match self.begun.map(Begun::wait) {
            Some(Ok(encoded)) => return Ok(encoded),
            Some(Err(error)) => tracing::warn!(%error, "the video is encoded once more"),
            None => {}
        }
        self.target.encode(frames.files(), || true)
    }
}

impl Begun {
    /// What became of the sections, of which no more come.
    fn wait(self) -> Result<Encoded, Error> {
        let encoded = self.thread.join();
        drop(self.wanted); // not before
        encoded.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

#[cfg(test)]
mod tests;
