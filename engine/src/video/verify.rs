//! Reads a written video back, before it is reported.
//!
//! What a header claims is compared with what was asked for, and every sample is visited: it must lie where the
//! header says, consist of whole NAL units, and be shown in a moment of its own.

use std::fs::File;
use std::path::Path;

use mp4::{MediaType, Mp4Reader, Mp4Track};

use super::mp4::TICKS_PER_FRAME;
use crate::{error::VideoError, picture::Size};

type Reader = Mp4Reader<std::io::BufReader<File>>;

/// What the video must be.
pub(super) struct Expected {
    pub(super) size: Size,
    pub(super) fps: u32,
    pub(super) frames: u32,
}

/// Checks the mp4 file at `path`; its size in bytes if it is right.
pub(super) fn verify(path: &Path, expected: &Expected) -> Result<u64, VideoError> {
    let unreadable = |source| VideoError::Io {
        path: path.to_owned(),
        doing: "reading back",
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let bytes = file.metadata().map_err(unreadable)?.len();
    let malformed = |reason: mp4::Error| VideoError::Mp4 {
        path: path.to_owned(),
        reason: reason.to_string(),
    };
    let mut reader = mp4::read_mp4(file).map_err(malformed)?;

    let check = Verifier { path };
    check.equal("tracks", &1, &reader.tracks().len())?;
    let (&id, track) = reader.tracks().iter().next().expect("there is one track");
    check.header(track, expected)?;
    let delay = track_delay(track);
    let mut shown_ticks = Vec::with_capacity(expected.frames as usize);
    for index in 1..=expected.frames {
        let sample = read_sample(&mut reader, id, index).map_err(malformed)?;
        check.that(
            is_whole(&sample.bytes),
            "a sample is not a sequence of NAL units",
        )?;
        check.that(
            index > 1 || sample.is_sync,
            "it does not begin with a keyframe",
        )?;
        shown_ticks.push(sample.start_time as i64 + i64::from(sample.rendering_offset) - delay);
    }
    shown_ticks.sort_unstable();
    let every_frame = (0..i64::from(expected.frames)).map(|i| i * i64::from(TICKS_PER_FRAME));
    check.that(
        shown_ticks.into_iter().eq(every_frame),
        "its frames are not evenly spaced",
    )?;
    Ok(bytes)
}

/// Compares, and names the file in what it finds.
struct Verifier<'a> {
    path: &'a Path,
}

impl Verifier<'_> {
    fn header(&self, track: &Mp4Track, expected: &Expected) -> Result<(), VideoError> {
        let is_h264 = matches!(track.media_type(), Ok(MediaType::H264));
        self.that(is_h264, "its codec is not H.264")?;
        let size = Size::new(track.width().into(), track.height().into());
        self.equal("size", &expected.size, &size)?;
        self.equal("frame count", &expected.frames, &track.sample_count())?;
        let timescale = expected.fps * TICKS_PER_FRAME;
        self.equal("time scale", &timescale, &track.timescale())?;
        let duration = u64::from(expected.frames) * u64::from(TICKS_PER_FRAME);
        self.equal(
            "duration in ticks",
            &duration,
            &track.trak.mdia.mdhd.duration,
        )
    }

    fn that(&self, holds: bool, otherwise: &str) -> Result<(), VideoError> {
        if holds {
            return Ok(());
        }
        Err(VideoError::Mp4 {
            path: self.path.to_owned(),
            reason: otherwise.to_owned(),
        })
    }

    fn equal<T: PartialEq + std::fmt::Display>(
        &self,
        what: &'static str,
        expected: &T,
        found: &T,
    ) -> Result<(), VideoError> {
        if expected == found {
            return Ok(());
        }
        Err(VideoError::Mismatch {
            path: self.path.to_owned(),
            what,
            expected: expected.to_string(),
            found: found.to_string(),
        })
    }
}

fn read_sample(reader: &mut Reader, track: u32, index: u32) -> Result<mp4::Mp4Sample, mp4::Error> {
    reader
        .read_sample(track, index)?
        .ok_or(mp4::Error::InvalidData("a sample is missing"))
}

/// Where the edit list lets the track begin, in ticks.
fn track_delay(track: &Mp4Track) -> i64 {
    let edits = track.trak.edts.as_ref().and_then(|edts| edts.elst.as_ref());
    let first = edits.and_then(|elst| elst.entries.first());
    first.map_or(0, |edit| edit.media_time as i64)
}

/// Whether a sample is a sequence of NAL units, each as long as the 4 bytes before it say.
fn is_whole(mut sample: &[u8]) -> bool {
    while let Some((length, rest)) = sample.split_first_chunk() {
        let Some(next) = rest.get(u32::from_be_bytes(*length) as usize..) else {
            return false;
        };
        sample = next;
    }
    sample.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_whole_nal_units() {
        assert!(is_whole(b"\0\0\0\x02ab\0\0\0\x01c"));
        assert!(!is_whole(b"\0\0\0\x02ab\0\0\0\x02c"));
        assert!(!is_whole(b"\0\0\0\x02ab\0"));
    }
}
