//! The video, and what is told of it.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use framepack_ipc::worker::{RenderOutput, RenderPlan, RenderRequest, Verified};
use framepack_jobs::{Code, Failure};
use serde_json::json;

use crate::plan::memory_plan;

/// A video of [`FRAMES`] frames at 30 a second, 64 by 64 pixels: ffmpeg's `testsrc2`.
const VIDEO: &[u8] = include_bytes!("video.mp4");
pub(crate) const FRAMES: u32 = 73;

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
        phases: Vec::new(),
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
