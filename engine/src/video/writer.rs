//! Frames in, a checked mp4 file out.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use framepack_jobs::Verified;

use super::colour::Yuv420;
use super::mp4::{Muxed, Muxer};
use super::playback::{Playback, Player, Shown};
use super::program::Defect;
use super::verify::{Expected, verify};
use super::x264::{EncoderSettings, H264Encoder};
use super::{faststart, metadata::Metadata};
use crate::{error::VideoError, file::sync_folder, picture::Size};

/// What a video is to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VideoSettings {
    /// Size of every frame; both sides even.
    pub size: Size,
    /// Frames a second.
    pub fps: u32,
    /// Constant rate factor of H.264, 0 (lossless) to 51.
    pub crf: u8,
}

/// A finished video.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoSummary {
    /// Number of frames.
    pub frames: u32,
    /// Duration in seconds.
    pub secs: f64,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// SHA-256 (hex) of the H.264 samples alone, without the header that tells when they were written.
    pub stream_sha256: String,
    /// Why its frames were not decoded again; `None` if they were.
    pub undecoded: Option<Defect>,
}

impl VideoSummary {
    /// How it was read back.
    pub fn verified(&self) -> Verified {
        match self.undecoded {
            None => Verified::Ffmpeg,
            Some(_) => Verified::Container,
        }
    }
}

/// Encodes a video frame by frame.
///
/// Samples gather in an unnamed file of the video's folder. [`VideoWriter::finish`] makes of it `.NAME.part`, decodes
/// that again, and renames it to the final name. Dropped before, the writer leaves nothing.
#[derive(Debug)]
pub struct VideoWriter {
    path: PathBuf,
    settings: VideoSettings,
    encoder: H264Encoder,
    frame: Yuv420,
    muxer: Muxer,
}

impl VideoWriter {
    /// Begins a video that will be at `path`, whose folder exists.
    pub fn create(path: &Path, settings: VideoSettings) -> Result<Self, VideoError> {
        let (size, fps) = (settings.size, settings.fps);
        let mut encoder = H264Encoder::open(&EncoderSettings {
            size,
            fps,
            crf: settings.crf,
        })?;
        let sets = encoder.parameter_sets()?;
        let scratch = tempfile::tempfile_in(folder(path)).map_err(io_error(path, "creating"))?;
        let muxer = Muxer::start(scratch, size, fps, sets).map_err(|e| mux_error(path, e))?;
        Ok(Self {
            path: path.to_owned(),
            settings,
            encoder,
            frame: Yuv420::new(size),
            muxer,
        })
    }

    /// Appends a frame: width * height pixels of packed RGB, row by row.
    pub fn push_rgb(&mut self, rgb: &[u8]) -> Result<(), VideoError> {
        let expected_bytes = self.settings.size.pixels() as usize * 3;
        if rgb.len() != expected_bytes {
            return Err(VideoError::FrameSize {
                expected_bytes,
                found_bytes: rgb.len(),
            });
        }
        self.frame.convert(rgb);
        match self.encoder.push(&self.frame)? {
            Some(sample) => self
                .muxer
                .push(sample)
                .map_err(|e| mux_error(&self.path, e)),
            None => Ok(()),
        }
    }

    /// Completes the video, with these texts in its header, checks it, and puts it in its place, replacing what was there.
    pub fn finish(self, metadata: &Metadata) -> Result<VideoSummary, VideoError> {
        let Self {
            path,
            settings,
            mut encoder,
            mut muxer,
            ..
        } = self;
        while let Some(sample) = encoder.drain()? {
            muxer.push(sample).map_err(|e| mux_error(&path, e))?;
        }
        let muxed = muxer.finish().map_err(|e| mux_error(&path, e))?;
        if muxed.frames == 0 {
            return Err(VideoError::NoFrames);
        }
        publish(&path, (settings, metadata), muxed)
    }
}

/// From the muxed scratch file to the checked video at its final path.
fn publish(
    path: &Path,
    (settings, metadata): (VideoSettings, &Metadata),
    mut muxed: Muxed,
) -> Result<VideoSummary, VideoError> {
    let part = PartFile::beside(path);
    let writing = io_error(&part.path, "writing");
    let file = File::create(&part.path).map_err(io_error(&part.path, "creating"))?;
    faststart::write(&mut muxed, metadata, &file).map_err(&writing)?;
    file.sync_all().map_err(&writing)?;

    let expected = Expected {
        size: settings.size,
        fps: settings.fps,
        frames: muxed.frames,
    };
    let bytes = verify(&part.path, &expected)?;
    let shown = Shown {
        frames: expected.frames,
        fps: expected.fps,
        crf: settings.crf,
    };
    let undecoded = match Player::default().check(&part.path, shown)? {
        Playback::Decoded => None,
        Playback::NotDecoded(defect) => Some(defect),
    };
    fs::rename(&part.path, path).map_err(io_error(path, "renaming to"))?;
    let folder = folder(path);
    if let Err(error) = sync_folder(folder) {
        // A video that may be gone after a crash is none: whoever renders it again must not find it here.
        let _ = fs::remove_file(path);
        return Err(io_error(folder, "syncing")(error));
    }
    Ok(VideoSummary {
        frames: muxed.frames,
        secs: f64::from(muxed.frames) / f64::from(settings.fps),
        bytes,
        stream_sha256: muxed.stream_sha256,
        undecoded,
    })
}

/// The temporary file `.NAME.part`, which does not outlive a failure. Once renamed there is nothing to remove.
struct PartFile {
    path: PathBuf,
}

impl PartFile {
    fn beside(path: &Path) -> Self {
        let mut name = std::ffi::OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(".part");
        Self {
            path: path.with_file_name(name),
        }
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %self.path.display(), %error, "could not remove a temporary file");
        }
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

fn io_error(path: &Path, doing: &'static str) -> impl Fn(io::Error) -> VideoError {
    let path = path.to_owned();
    move |source| VideoError::Io {
        path: path.clone(),
        doing,
        source,
    }
}

fn mux_error(path: &Path, error: mp4::Error) -> VideoError {
    match error {
        mp4::Error::IoError(source) => io_error(path, "writing")(source),
        other => VideoError::Mp4 {
            path: path.to_owned(),
            reason: other.to_string(),
        },
    }
}
