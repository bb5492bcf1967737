//! The video, and what is told of it.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use framepack_ipc::{
    preview::{Preview, PreviewKind},
    worker::{Phase, PhaseTime, RenderOutput, RenderPlan, RenderRequest, Verified},
};
use framepack_jobs::{Code, Failure, Part, Partial};
use serde_json::json;

use crate::plan::memory_plan;

/// A video of [`FRAMES`] frames at 30 a second, 64 by 64 pixels: ffmpeg's `testsrc2`.
const VIDEO: &[u8] = include_bytes!("video.mp4");
pub(crate) const FRAMES: u32 = 73;
/// A grey PNG.
const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNoaGgAAAMEAYFL09IQAAAAAElFTkSuQmCC";

/// Writes the video under its temporary name, then renames it.
pub(crate) fn write(request: &RenderRequest, latents_sha256: &str) -> io::Result<()> {
    let part = unfinished(&request.output);
    let note = json!({
        "job": request.job,
        "prompt": request.prompt,
        "settings": request.settings,
        "latents_sha256": latents_sha256,
    });
    let mut file = File::create(&part)?;
    file.write_all(VIDEO)?;
    file.write_all(&free_box(note.to_string().as_bytes()))?;
    file.sync_all()?;
    fs::rename(part, &request.output)
}

/// A picture of one pixel.
pub(crate) fn preview(request: &RenderRequest, kind: PreviewKind, of: String) {
    let preview = Preview {
        media_type: "image/png".to_owned(),
        of,
        width_px: 1,
        height_px: 1,
        frames: 1,
        data: PIXEL.to_owned(),
    };
    let message = serde_json::to_vec(&preview).expect("plain data");
    let part = request.work_dir.join(".preview.part");
    fs::write(&part, message)
        .and_then(|()| fs::rename(&part, request.work_dir.join(kind.file_name())))
        .expect("the work folder can be written");
}

/// What there is of a video with so many of its sections.
pub(crate) fn partial(sections: u32, of_sections: u32) -> Partial {
    Partial {
        part: Part::End,
        sections,
        of_sections,
        frames: FRAMES,
        secs: f64::from(FRAMES) / 30.0,
        of_secs: f64::from(FRAMES) / 30.0 / f64::from(sections) * f64::from(of_sections),
    }
}

/// An mp4 box that players skip.
fn free_box(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(8 + content.len()).expect("it is short");
    [&length.to_be_bytes(), b"free".as_slice(), content].concat()
}

pub(crate) fn unfinished(output: &Path) -> PathBuf {
    let name = output
        .file_name()
        .expect("a video has a name")
        .to_string_lossy();
    output.with_file_name(format!(".{name}.part"))
}

pub(crate) fn output(
    request: &RenderRequest,
    plan: RenderPlan,
    latents_sha256: String,
) -> RenderOutput {
    RenderOutput {
        video: request.output.clone(),
        contact_sheet: request.work_dir.join("contact-sheet.png"),
        plan,
        video_bytes: fs::metadata(&request.output).map_or(0, |metadata| metadata.len()),
        latents_sha256,
        stream_sha256: Some("5eed".repeat(16)),
        warnings: vec!["no frame of it is real".to_owned()],
        phases: vec![PhaseTime {
            phase: Phase::Sample,
            secs: 0.5,
        }],
        device: String::new(),
        dtype: "f32".to_owned(),
        peak_device_bytes: Some(3 << 30),
        memory_plan: Some(Box::new(memory_plan(None))),
        memory_use: None,
        decoded_tiles: None,
        device_idle: None,
        resumed: None,
        rungs: Vec::new(),
        attention: None,
        step_cache: None,
        inactive: is_lacking(request)
            .then(|| ("attention".to_owned(), "no kernel".to_owned()))
            .into_iter()
            .collect(),
        verified: Verified::Ffmpeg,
        time_to_first_step_secs: None,
        partial: None,
    }
}

/// Whether the job finds no kernel for its attention.
pub(crate) fn is_lacking(request: &RenderRequest) -> bool {
    request.prompt.starts_with("lacking")
}

/// Why a job ends without what it should have written.
pub(crate) fn unwritten(error: &io::Error) -> Failure {
    let code = match error.kind() {
        io::ErrorKind::StorageFull => Code::DISK_FULL_MIDWAY,
        _ => Code::FILE_IO,
    };
    Failure::new(code, format!("writing a file: {error}"))
}
