//! What a job's video looks like while it is rendered, and in the end: small pictures in the work folder, each replaced by
//! the next one, for whoever watches.
//!
//! Nobody waits for them. A few latent frames of a step are sent to page-locked memory behind an event, at most once a
//! second, and become a picture after the first step by which they have come; a section's frames are on the host anyway.
//! A picture that can't be made or written is a warning.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use framepack_ipc::preview::{Preview, PreviewKind};
use image::{
    ExtendedColorType, ImageEncoder, RgbImage,
    codecs::{jpeg::JpegEncoder, png::PngEncoder},
};
use tch::Tensor;

use crate::{
    device::{self, Event, Stream},
    job::Job,
    picture::{
        Size,
        png::write as write_png,
        preview::latent_preview,
        thumbnails::{Thumbnails, column, evenly_spaced, row, thumbnail},
    },
    video::frames::sent_to_host,
};

/// Time between two pictures of steps.
const PAUSE: Duration = Duration::from_secs(1);
/// Frames of a section that are shown side by side.
const SECTION_FRAMES: usize = 3;
/// Longer side of each, in pixels.
const FRAME_PX: u32 = 256;
/// Frames of a strip.
const STRIP_FRAMES: usize = 16;
/// Width of each, in pixels.
const STRIP_PX: u32 = 224;
/// Of a strip, 1 to 100.
const JPEG_QUALITY: u8 = 80;
/// The axis of time in (B, C, T, h, w).
const TIME: i64 = 2;

/// One job's.
#[derive(Debug)]
pub(crate) struct Previews {
    folder: PathBuf,
    /// Of the video.
    size: Size,
    sections: u32,
    /// When latents were sent last.
    sent_at: Option<Instant>,
    on_the_way: Option<SentLatents>,
    /// What all of it took.
    took: Duration,
    /// Why the first picture is missing that could not be made or written.
    failure: Option<String>,
}

/// Where a step is in its job: counted from 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepPlace {
    pub(crate) section: u32,
    pub(crate) step: u32,
    pub(crate) steps: u32,
}

/// Latents on their way to the host.
#[derive(Debug)]
struct SentLatents {
    /// (1, C, T, h, w) f32 on the host.
    latents: Tensor,
    /// When they are there; `None` on the CPU, where they are at once.
    arrival: Option<Event>,
    of: StepPlace,
}

impl Previews {
    /// None yet.
    pub(crate) fn new(job: &Job) -> Self {
        Self {
            folder: job.output.work_dir.clone(),
            size: Size::new(job.plan.width_px, job.plan.height_px),
            sections: job.plan.sections,
            sent_at: None,
            on_the_way: None,
            took: Duration::ZERO,
            failure: None,
        }
    }

    /// After a step, whose prediction of the section's latents, (1, C, T, h, w), may be shown.
    pub(crate) fn step(&mut self, prediction: &Tensor, of: StepPlace) {
        self.timed(|this| {
            this.draw_arrived();
            let is_due = this.sent_at.is_none_or(|at| at.elapsed() >= PAUSE);
            if !is_due || this.on_the_way.is_some() {
                return;
            }
            this.sent_at = Some(Instant::now());
            match device::catch(|| Ok(SentLatents::new(prediction, of))) {
                Ok(sent) => this.on_the_way = Some(sent),
                Err(error) => this.note(error.to_string()),
            }
            this.draw_arrived();
        });
    }

    /// The latents of a section, (1, C, T, h, w), as `preview-NUMBER.png`.
    pub(crate) fn section_latents(&mut self, number: u32, latents: &Tensor) {
        self.timed(|this| {
            let path = this.folder.join(format!("preview-{number:03}.png"));
            if let Err(error) = write_png(&path, &latent_preview(latents)) {
                this.note(failed(&path, &error));
            }
        });
    }

    /// Frames of a section, packed RGB.
    pub(crate) fn section(&mut self, number: u32, rgb: &[u8]) {
        self.timed(|this| {
            this.on_the_way = None; // older
            let frames: Vec<&[u8]> = rgb.chunks_exact(this.size.pixels() as usize * 3).collect();
            let shown = this.size.within(FRAME_PX);
            let wanted = evenly_spaced(frames.len(), SECTION_FRAMES).into_iter();
            let pictures: Vec<RgbImage> = wanted
                .map(|frame| thumbnail(frames[frame], this.size, shown))
                .collect();
            if let Some(picture) = row(&pictures) {
                let of = format!("section {number}/{}", this.sections);
                this.write(PreviewKind::Latest, &picture, (of, pictures.len()));
            }
        });
    }

    /// Collects the frames of the strip while the video is written.
    pub(crate) fn strip_of(total_frames: usize, size: Size) -> Thumbnails {
        Thumbnails::new((total_frames, STRIP_FRAMES), size, size.no_wider(STRIP_PX))
    }

    /// The strip.
    pub(crate) fn strip(&mut self, frames: &Thumbnails) {
        self.timed(|this| {
            let pictures = frames.pictures();
            if let Some(picture) = column(pictures) {
                let of = ("video".to_owned(), pictures.len());
                this.write(PreviewKind::Strip, &picture, of);
            }
        });
    }

    /// What of it did not work, for the report.
    pub(crate) fn warning(&self) -> Option<String> {
        tracing::debug!(secs = self.took.as_secs_f64(), "previews");
        let failure = self.failure.as_ref()?;
        Some(format!("a preview is missing: {failure}"))
    }

    /// Draws the latents that were sent, if they have come.
    fn draw_arrived(&mut self) {
        let Some(sent) = self.on_the_way.take_if(|sent| sent.is_there()) else {
            return;
        };
        let StepPlace {
            section,
            step,
            steps,
        } = sent.of;
        let of = format!("section {section}/{} step {step}/{steps}", self.sections);
        let frames = sent.latents.size()[2] as usize;
        self.write(
            PreviewKind::Latest,
            &latent_preview(&sent.latents),
            (of, frames),
        );
    }

    /// Puts a picture in the place of the one before: whole, but without a sync, since none is worth waiting for the disk.
    fn write(&mut self, kind: PreviewKind, picture: &RgbImage, (of, frames): (String, usize)) {
        let path = self.folder.join(kind.file_name());
        let unfinished = path.with_extension("part");
        let written = encoded(kind, picture).and_then(|data| {
            let message = Preview {
                media_type: media_type(kind).to_owned(),
                of,
                width_px: picture.width(),
                height_px: picture.height(),
                frames: frames as u32,
                data: BASE64_STANDARD.encode(data),
            };
            let message = serde_json::to_vec(&message).map_err(|error| error.to_string())?;
            fs::write(&unfinished, message)
                .and_then(|()| fs::rename(&unfinished, &path))
                .map_err(|error| failed(&path, &error))
        });
        if let Err(reason) = written {
            self.note(reason);
        }
    }

    /// Notes a failure. One is enough: on a full disk there would be one a second.
    fn note(&mut self, reason: String) {
        if self.failure.is_none() {
            tracing::warn!(reason, "a preview is missing");
            self.failure = Some(reason);
        }
    }

    fn timed(&mut self, work: impl FnOnce(&mut Self)) {
        let began = Instant::now();
        work(self);
        self.took += began.elapsed();
    }
}

impl SentLatents {
    /// Gives the copy of a few frames to the device's current stream.
    fn new(prediction: &Tensor, of: StepPlace) -> Self {
        let frames = prediction.size()[2];
        let shown = SECTION_FRAMES as i64;
        let step = ((frames - 1) / (shown - 1)).max(1);
        let few = prediction.slice(TIME, 0, frames.min((shown - 1) * step + 1), step);
        Self {
            latents: sent_to_host(&few.contiguous()),
            arrival: Stream::current(prediction.device())
                .as_ref()
                .map(Event::record),
            of,
        }
    }

    fn is_there(&self) -> bool {
        self.arrival.as_ref().is_none_or(Event::is_done)
    }
}

fn media_type(kind: PreviewKind) -> &'static str {
    match kind {
        PreviewKind::Latest => "image/png",
        PreviewKind::Strip => "image/jpeg",
    }
}

fn encoded(kind: PreviewKind, picture: &RgbImage) -> Result<Vec<u8>, String> {
    let mut data = Vec::new();
    let (width, height) = picture.dimensions();
    let encoded = match kind {
        PreviewKind::Latest => {
            PngEncoder::new(&mut data).write_image(picture, width, height, ExtendedColorType::Rgb8)
        }
        PreviewKind::Strip => JpegEncoder::new_with_quality(&mut data, JPEG_QUALITY).write_image(
            picture,
            width,
            height,
            ExtendedColorType::Rgb8,
        ),
    };
    encoded.map(|()| data).map_err(|error| error.to_string())
}

fn failed(path: &Path, error: &std::io::Error) -> String {
    format!("writing {}: {error}", path.display())
}

#[cfg(test)]
mod tests;
