//! What a job leaves on the disk: latents, the video, its contact sheet and strip.

mod encoding;

use std::path::{Path, PathBuf};

use framepack_ipc::worker::{DecodedTiles, Phase};
use framepack_jobs::{SectionSteps, Timestamp};
use image::RgbImage;
use tch::Tensor;

use self::encoding::Encoded;
pub(crate) use self::encoding::Encoding;
use crate::{
    checkpoint::KeptFrames,
    device,
    error::Error,
    job::Job,
    picture::png,
    previews::Previews,
    progress::ProgressReporter,
    video::{Created, Defect, Metadata, VideoSummary},
};

/// What the section loop leaves.
#[derive(Debug)]
pub(crate) struct Video {
    /// All latents in the order of time, (1, C, T, h, w) f32 on the CPU.
    pub(crate) latents: Tensor,
    /// All frames.
    pub(crate) frames: KeptFrames,
    /// Which steps of each section that was sampled were computed; none without a step cache.
    pub(crate) timelines: Vec<SectionSteps>,
    /// How long the device waited between the sections' parts; `None` on the CPU.
    pub(crate) idle: Option<device::Idle>,
    /// How many tiles along time were decoded, and reused.
    pub(crate) tiles: DecodedTiles,
    /// Why sections were no longer decoded beside sampling, if they were at first.
    pub(crate) overlap_ended: Option<String>,
}

/// The files of a finished job.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) summary: VideoSummary,
    pub(crate) contact_sheet: PathBuf,
    /// What could not be checked.
    pub(crate) warning: Option<String>,
}

/// Writes the video, reads it back, and puts it in its place; its latents, a contact sheet and a strip go into the work
/// folder.
pub(crate) fn write(
    job: &Job,
    (video, encoding): (&mut Video, Encoding),
    previews: &mut Previews,
    progress: &mut ProgressReporter<'_>,
) -> Result<Written, Error> {
    progress.enter(Phase::Encode)?;
    write_latents(
        &job.output.work_dir.join("latents.safetensors"),
        &video.latents,
    )?;
    let Encoded {
        writer,
        sheet,
        strip,
    } = encoding.finish(&mut video.frames)?;

    progress.enter(Phase::Verify)?;
    let contact_sheet = job.output.work_dir.join("contact-sheet.png");
    if let Some(picture) = sheet.draw() {
        write_png(&contact_sheet, &picture)?;
    }
    let summary = writer.finish(&Metadata {
        created: Created::at(Timestamp::now()),
        ..job.output.metadata.clone()
    })?;
    previews.strip(&strip);
    Ok(Written {
        warning: summary.undecoded.as_ref().map(not_decoded),
        summary,
        contact_sheet,
    })
}

/// What it means that there is no ffmpeg, or none that works.
fn not_decoded(defect: &Defect) -> String {
    let what = match defect {
        Defect::Missing => "is not in PATH".to_owned(),
        Defect::Fault(reason) => format!("does not work ({reason})"),
    };
    format!("ffmpeg {what}: the video's container was checked, but its frames were not decoded")
}

/// The generated latents, (1, 16, T, H/8, W/8) f32, to compare runs by more than their frames.
fn write_latents(path: &Path, latents: &Tensor) -> Result<(), Error> {
    Tensor::write_safetensors(&[("latents", latents.contiguous())], path).map_err(|error| {
        Error::Io {
            path: path.into(),
            doing: "writing",
            source: std::io::Error::other(error),
        }
    })
}

fn write_png(path: &Path, picture: &RgbImage) -> Result<(), Error> {
    png::write(path, picture).map_err(|source| Error::Io {
        path: path.into(),
        doing: "writing",
        source,
    })
}
