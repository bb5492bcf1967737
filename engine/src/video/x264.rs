//! H.264 through libx264: constant rate factor, preset medium, High profile, BT.709 tags.
//!
//! The binding to `csrc/x264_shim.c`, and the only `unsafe` code of the video path.
#![expect(unsafe_code, reason = "libx264 is a C library")]

use std::ffi::{CStr, c_char};
use std::num::NonZeroUsize;
use std::ptr::{self, NonNull};

use super::colour::Yuv420;
use crate::{error::VideoError, picture::Size};

/// The encoder's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncoderSettings {
    /// Size of the frames; both sides even.
    pub size: Size,
    /// Frames a second.
    pub fps: u32,
    /// Constant rate factor, 0 to 51: less is better and larger. 0 is lossless, which takes the profile High 4:4:4
    /// Predictive that browsers and hardware decoders often refuse.
    pub crf: u8,
}

/// Sequence and picture parameter set: what a decoder must know before the first frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterSets {
    /// Sequence parameter set, without start code or length.
    pub sps: Vec<u8>,
    /// Picture parameter set, without start code or length.
    pub pps: Vec<u8>,
}

/// One coded frame. Times count frames; samples come in decoding order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// NAL units, each behind its length in 4 bytes, big-endian (AVCC).
    pub bytes: Vec<u8>,
    /// When it is shown.
    pub pts_frames: i64,
    /// When it is decoded; negative for the first frames, since B-frames wait for a later one.
    pub dts_frames: i64,
    /// Whether decoding can start here.
    pub is_keyframe: bool,
}

/// An open encoder. Frames go in by [`H264Encoder::push`]; each call returns the sample that became ready, if any.
#[derive(Debug)]
pub struct H264Encoder {
    raw: NonNull<RawEncoder>,
    size: Size,
}

// SAFETY: libx264's state is reached through `raw` alone, it is tied to no thread, and every call needs `&mut`.
unsafe impl Send for H264Encoder {}

impl H264Encoder {
    /// Opens an encoder with as many threads as there are processors.
    pub fn open(settings: &EncoderSettings) -> Result<Self, VideoError> {
        let EncoderSettings { size, fps, crf } = *settings;
        let encodable = |px: u32| (2..=16384).contains(&px) && px.is_multiple_of(2);
        if !encodable(size.width_px) || !encodable(size.height_px) {
            return Err(VideoError::Size { size });
        }
        let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let raw_settings = RawSettings {
            width_px: size.width_px as i32,
            height_px: size.height_px as i32,
            fps: fps as i32,
            crf: i32::from(crf),
            threads: threads as i32,
        };
        let mut message = [0; 256];
        // SAFETY: both pointers are to live values of the layout that the header declares, and the length is the buffer's.
        let raw =
            unsafe { fp_x264_open(&raw const raw_settings, message.as_mut_ptr(), message.len()) };
        let raw = NonNull::new(raw).ok_or_else(|| VideoError::Encoder {
            // SAFETY: the shim has written a string with its terminating zero into the buffer.
            message: text(unsafe { CStr::from_ptr(message.as_ptr()) }),
        })?;
        Ok(Self { raw, size })
    }

    /// What goes into the file's header.
    pub fn parameter_sets(&mut self) -> Result<ParameterSets, VideoError> {
        let (mut sps, mut pps) = (ptr::null(), ptr::null());
        let (mut sps_len, mut pps_len) = (0, 0);
        // SAFETY: `raw` is an open encoder and the others point to live variables.
        let status = unsafe {
            fp_x264_headers(
                self.raw.as_ptr(),
                &raw mut sps,
                &raw mut sps_len,
                &raw mut pps,
                &raw mut pps_len,
            )
        };
        if status != 0 {
            return Err(self.error());
        }
        // SAFETY: on success both are set to as many bytes as said, alive until the next call; copied before it.
        let (sps, pps) = unsafe {
            (
                std::slice::from_raw_parts(sps, sps_len).to_vec(),
                std::slice::from_raw_parts(pps, pps_len).to_vec(),
            )
        };
        Ok(ParameterSets { sps, pps })
    }

    /// Encodes the next frame.
    ///
    /// # Panics
    /// If the frame has another size than the encoder.
    pub fn push(&mut self, frame: &Yuv420) -> Result<Option<Sample>, VideoError> {
        assert_eq!(frame.size(), self.size, "one size for all frames");
        self.encode(frame.planes().map(<[u8]>::as_ptr))
    }

    /// Returns a delayed sample; `None` when none is left.
    pub fn drain(&mut self) -> Result<Option<Sample>, VideoError> {
        loop {
            // SAFETY: `raw` is an open encoder.
            let delayed = unsafe { fp_x264_delayed_frames(self.raw.as_ptr()) };
            if delayed == 0 {
                return Ok(None);
            }
            if let Some(sample) = self.encode([ptr::null(); 3])? {
                return Ok(Some(sample));
            }
        }
    }

    fn encode(&mut self, [y, u, v]: [*const u8; 3]) -> Result<Option<Sample>, VideoError> {
        let mut packet = RawPacket::default();
        // SAFETY: `raw` is an open encoder. The planes are null (drain), or those of a frame of the encoder's size
        // (checked by `push`), which libx264 copies before it returns.
        match unsafe { fp_x264_encode(self.raw.as_ptr(), y, u, v, &raw mut packet) } {
            0 => Ok(None),
            1 => Ok(Some(Sample {
                // SAFETY: a filled packet points to `len` bytes that live until the next call; copied before it.
                bytes: unsafe { std::slice::from_raw_parts(packet.bytes, packet.len) }.to_vec(),
                pts_frames: packet.pts_frames,
                dts_frames: packet.dts_frames,
                is_keyframe: packet.keyframe != 0,
            })),
            _ => Err(self.error()),
        }
    }

    fn error(&self) -> VideoError {
        // SAFETY: `raw` is an open encoder, whose message is a string inside it.
        let message = unsafe { CStr::from_ptr(fp_x264_message(self.raw.as_ptr())) };
        VideoError::Encoder {
            message: text(message),
        }
    }
}

impl Drop for H264Encoder {
    fn drop(&mut self) {
        // SAFETY: `raw` came from `fp_x264_open` and is closed only here.
        unsafe { fp_x264_close(self.raw.as_ptr()) }
    }
}

fn text(message: &CStr) -> String {
    match message.to_string_lossy().trim() {
        "" => "libx264 gave no reason".to_owned(),
        message => message.to_owned(),
    }
}

// The declarations of csrc/x264_shim.h.

#[repr(C)]
struct RawEncoder {
    private: [u8; 0],
}

#[repr(C)]
struct RawSettings {
    width_px: i32,
    height_px: i32,
    fps: i32,
    crf: i32,
    threads: i32,
}

#[repr(C)]
struct RawPacket {
    bytes: *const u8,
    len: usize,
    pts_frames: i64,
    dts_frames: i64,
    keyframe: i32,
}

impl Default for RawPacket {
    fn default() -> Self {
        Self {
            bytes: ptr::null(),
            len: 0,
            pts_frames: 0,
            dts_frames: 0,
            keyframe: 0,
        }
    }
}

unsafe extern "C" {
    fn fp_x264_open(
        settings: *const RawSettings,
        error: *mut c_char,
        error_len: usize,
    ) -> *mut RawEncoder;
    fn fp_x264_headers(
        encoder: *mut RawEncoder,
        sps: *mut *const u8,
        sps_len: *mut usize,
        pps: *mut *const u8,
        pps_len: *mut usize,
    ) -> i32;
    fn fp_x264_encode(
        encoder: *mut RawEncoder,
        y: *const u8,
        u: *const u8,
        v: *const u8,
        packet: *mut RawPacket,
    ) -> i32;
    fn fp_x264_delayed_frames(encoder: *mut RawEncoder) -> i32;
    fn fp_x264_message(encoder: *const RawEncoder) -> *const c_char;
    fn fp_x264_close(encoder: *mut RawEncoder);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(crf: u8) -> EncoderSettings {
        EncoderSettings {
            size: Size::new(64, 48),
            fps: 30,
            crf,
        }
    }

    fn encode(crf: u8, frames: u8) -> Vec<Sample> {
        let mut encoder = H264Encoder::open(&settings(crf)).unwrap();
        let mut frame = Yuv420::new(Size::new(64, 48));
        let mut samples = Vec::new();
        for i in 0..frames {
            let rgb: Vec<u8> = (0..64 * 48 * 3_u32)
                .map(|p| (p * 7 / 5) as u8 ^ (i * 3))
                .collect();
            frame.convert(&rgb);
            samples.extend(encoder.push(&frame).unwrap());
        }
        while let Some(sample) = encoder.drain().unwrap() {
            samples.push(sample);
        }
        samples
    }

    #[test]
    fn every_frame_comes_out_once_in_decoding_order() {
        let samples = encode(23, 40);
        let mut shown: Vec<i64> = samples.iter().map(|s| s.pts_frames).collect();
        shown.sort_unstable();
        assert_eq!(shown, (0..40).collect::<Vec<_>>());
        assert!(
            samples
                .windows(2)
                .all(|w| w[1].dts_frames == w[0].dts_frames + 1)
        );
        assert!(samples.iter().all(|s| s.dts_frames <= s.pts_frames));
        assert!(samples[0].is_keyframe);
    }

    #[test]
    fn the_rate_factor_is_true() {
        let bytes = |crf| encode(crf, 12).iter().map(|s| s.bytes.len()).sum::<usize>();
        let sizes = [0, 16, 23, 51].map(bytes);
        assert!(sizes.is_sorted_by(|a, b| a > b), "{sizes:?}");
    }

    #[test]
    fn the_same_frames_give_the_same_bytes() {
        assert_eq!(encode(20, 12), encode(20, 12));
    }

    #[test]
    fn the_profile_is_high_unless_lossless() {
        let profile = |crf| {
            let mut encoder = H264Encoder::open(&settings(crf)).unwrap();
            encoder.parameter_sets().unwrap().sps[1]
        };
        assert_eq!([1, 16, 51, 0].map(profile), [100, 100, 100, 244]);
    }

    #[test]
    fn odd_sizes_are_refused() {
        let size = Size::new(63, 48);
        let error = H264Encoder::open(&EncoderSettings {
            size,
            ..settings(16)
        })
        .unwrap_err();
        assert!(matches!(error, VideoError::Size { .. }), "{error}");
    }
}
