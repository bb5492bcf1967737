//! Chunks: so many latent frames are decoded at a time, after some that were decoded before.

use crate::section::FRAMES_PER_LATENT;

/// Latent frames of the past where nobody says more: one more than the reference's tiles have, whose seams flicker; see
/// the table in docs/PERFORMANCE.md.
const CONTEXT_LATENT_FRAMES: u8 = 3;
/// Frames of the cross-fade where nobody says otherwise.
const BLEND_FRAMES: u8 = 4;
/// The same where quality is asked for.
const QUALITY_BLEND_FRAMES: u8 = 8;

/// A piece of the video as it is decoded: new latent frames behind known ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "they are in frames")]
pub struct Chunk {
    latent_frames: u8,
    context_latent_frames: u8,
    blend_frames: u8,
}

impl Chunk {
    /// So many latent frames, at least one, that fade in over so many frames, by default as the table advises.
    pub fn new(latent_frames: u8, blend_frames: Option<u8>) -> Self {
        Self {
            latent_frames: latent_frames.max(1),
            context_latent_frames: CONTEXT_LATENT_FRAMES,
            blend_frames: BLEND_FRAMES,
        }
        .blended_over(blend_frames)
    }

    /// So many latent frames behind so many of the past, with the cross-fade of quality as far as the past allows it.
    pub fn of_quality(latent_frames: u8, context_latent_frames: u8) -> Self {
        let longest = (context_latent_frames.max(1) - 1) * FRAMES_PER_LATENT as u8;
        Self {
            latent_frames: latent_frames.max(1),
            context_latent_frames: context_latent_frames.max(1),
            blend_frames: QUALITY_BLEND_FRAMES.min(longest),
        }
    }

    fn blended_over(self, blend_frames: Option<u8>) -> Self {
        let blend_frames = blend_frames.unwrap_or(self.blend_frames);
        let least = least_context(blend_frames);
        Self {
            context_latent_frames: self.context_latent_frames.max(least),
            blend_frames,
            ..self
        }
    }

    /// So many latent frames with the overlap of the reference's tiles.
    pub(crate) fn like_reference(latent_frames: u8) -> Self {
        Self {
            latent_frames: latent_frames.max(1),
            context_latent_frames: 2,
            blend_frames: BLEND_FRAMES,
        }
    }

    /// The same with the shortest past that its cross-fade allows.
    pub(crate) fn lean(self) -> Self {
        Self {
            context_latent_frames: least_context(self.blend_frames),
            ..self
        }
    }

    /// The same with so many new latent frames.
    pub(crate) fn with(self, latent_frames: u8) -> Self {
        Self {
            latent_frames: latent_frames.max(1),
            ..self
        }
    }

    /// Latent frames that are decoded for the first time, at least one.
    pub fn latent_frames(self) -> u8 {
        self.latent_frames
    }

    /// Latent frames before them that are decoded once more.
    pub fn context_latent_frames(self) -> u8 {
        self.context_latent_frames
    }

    /// Frames over which it fades in.
    pub fn blend_frames(self) -> u8 {
        self.blend_frames
    }

    /// Latent frames that are decoded together.
    pub(super) fn length(self) -> i64 {
        i64::from(self.latent_frames) + i64::from(self.context_latent_frames)
    }
}

/// A tile's first frame stands for a latent that nothing came before, so that it can't be faded to: the past is long
/// enough for a frame before the cross-fade.
fn least_context(blend_frames: u8) -> u8 {
    1 + blend_frames.div_ceil(FRAMES_PER_LATENT as u8)
}
