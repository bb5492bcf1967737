//! H.264 samples into an mp4 file, by the crate `mp4`.
//!
//! Its file is right but plain: the header at the end, and no word on colour, start time or content.
//! `faststart` turns it into the file that is delivered.

use std::fs::File;
use std::io::{BufWriter, Write};

use sha2::{Digest, Sha256};

use mp4::{AvcConfig, MediaConfig, Mp4Config, Mp4Sample, Mp4Writer, TrackConfig, TrackType};

use super::x264::{ParameterSets, Sample};
use crate::picture::Size;

/// Ticks a frame, as in ffmpeg's mp4 files: one time scale for movie and track, in which every time is a whole number.
pub(super) const TICKS_PER_FRAME: u32 = 512;

const TRACK: u32 = 1;

/// A plain mp4 file in the making.
#[derive(Debug)]
pub(super) struct Muxer {
    writer: Mp4Writer<BufWriter<File>>,
    /// How long the first sample waits between decoding and showing.
    delay_frames: Option<i64>,
    frames: u32,
    stream: Sha256,
}

/// The plain file and what its header does not say.
#[derive(Debug)]
pub(super) struct Muxed {
    pub(super) file: File,
    pub(super) frames: u32,
    pub(super) delay_frames: i64,
    /// SHA-256 of all samples, in hexadecimal.
    pub(super) stream_sha256: String,
}

impl Muxer {
    pub(super) fn start(
        file: File,
        size: Size,
        fps: u32,
        sets: ParameterSets,
    ) -> Result<Self, mp4::Error> {
        let timescale = fps * TICKS_PER_FRAME;
        let brands = [b"isom", b"iso2", b"avc1", b"mp41"];
        let config = Mp4Config {
            major_brand: (*b"isom").into(),
            minor_version: 512,
            compatible_brands: brands.map(|brand| (*brand).into()).to_vec(),
            timescale,
        };
        let mut writer = Mp4Writer::write_start(BufWriter::new(file), &config)?;
        writer.add_track(&TrackConfig {
            track_type: TrackType::Video,
            timescale,
            language: "und".to_owned(),
            media_conf: MediaConfig::AvcConfig(AvcConfig {
                width: size.width_px as u16,
                height: size.height_px as u16,
                seq_param_set: sets.sps,
                pic_param_set: sets.pps,
            }),
        })?;
        Ok(Self {
            writer,
            delay_frames: None,
            frames: 0,
            stream: Sha256::new(),
        })
    }

    /// Appends a sample; they come in decoding order, one frame apart.
    pub(super) fn push(&mut self, sample: Sample) -> Result<(), mp4::Error> {
        let wait_frames = sample.pts_frames - sample.dts_frames;
        self.delay_frames.get_or_insert(wait_frames);
        self.frames += 1;
        self.stream.update(&sample.bytes);
        let ticks = i64::from(TICKS_PER_FRAME);
        self.writer.write_sample(
            TRACK,
            &Mp4Sample {
                start_time: u64::from(self.frames - 1) * u64::from(TICKS_PER_FRAME),
                duration: TICKS_PER_FRAME,
                rendering_offset: (wait_frames * ticks) as i32,
                is_sync: sample.is_keyframe,
                bytes: sample.bytes.into(),
            },
        )
    }

    /// Writes the header.
    pub(super) fn finish(mut self) -> Result<Muxed, mp4::Error> {
        self.writer.write_end()?;
        let mut buffered = self.writer.into_writer();
        buffered.flush()?;
        let file = buffered
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)?;
        Ok(Muxed {
            file,
            frames: self.frames,
            delay_frames: self.delay_frames.unwrap_or(0),
            stream_sha256: format!("{:x}", self.stream.finalize()),
        })
    }
}
