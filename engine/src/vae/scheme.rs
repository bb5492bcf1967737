//! How the VAE decodes: in what it cuts the latents, and how exactly it computes.

use std::fmt;

use tch::Kind;

use super::frames::Frames;
use super::tiles::{SpaceTiling, TimeTiling};

/// How the VAE decodes. The default is the reference's on a large device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DecodeScheme {
    /// Along time.
    pub time: TimeTiling,
    /// Along height and width, within each piece along time.
    pub space: SpaceTiling,
    /// Of norms and sums.
    pub precision: Precision,
    /// Within each piece along time.
    pub finest: FinestLevel,
}

/// How the finest level is computed, which takes most of the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FinestLevel {
    /// All frames of a piece at once, as in the reference.
    #[default]
    AtOnce,
    /// Twice, in steps of so many latent frames: for the norms' statistics, and with them.
    InSteps(u8),
}

impl FinestLevel {
    /// Latent frames of the first step, which is the longest: its first one is a single frame. `None`: these are computed at
    /// once, because they are to be, or since the first step has all of them.
    pub(crate) fn first_step(self, latent_frames: u64) -> Option<u64> {
        let Self::InSteps(step) = self else {
            return None;
        };
        let first = u64::from(step) + 1;
        (first < latent_frames).then_some(first)
    }
}

/// The type of norms and of the sums of residual blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// That of the weights, as in the reference.
    #[default]
    Model,
    /// f32, and with it the finished frames; convolutions stay in the type of the weights.
    F32Sums,
}

impl Precision {
    /// What the sums of the next blocks begin with.
    pub(super) fn of_sums(self, frames: Frames) -> Frames {
        match self {
            Self::Model => frames,
            Self::F32Sums => frames.in_kind(Kind::Float),
        }
    }
}

impl From<SpaceTiling> for DecodeScheme {
    /// The reference's temporal tiles, cut like this.
    fn from(space: SpaceTiling) -> Self {
        Self {
            space,
            ..Self::default()
        }
    }
}

/// As reports and checkpoints name it; the reference's two ways have had their names for longer.
impl fmt::Display for DecodeScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.time {
            TimeTiling::Reference => f.write_str("Time")?,
            TimeTiling::Whole => f.write_str("Section")?,
            TimeTiling::Chunked(chunk) => write!(
                f,
                "Chunks({}+{}, blend {})",
                chunk.context_latent_frames(),
                chunk.latent_frames(),
                chunk.blend_frames()
            )?,
        }
        match self.space {
            SpaceTiling::Whole => {}
            SpaceTiling::Reference => f.write_str("AndSpace")?,
            SpaceTiling::Large => f.write_str("AndLargeSpace")?,
            SpaceTiling::Squares(side) => write!(f, "AndSpace({side})")?,
        }
        match self.precision {
            Precision::Model => Ok(()),
            Precision::F32Sums => f.write_str(" in f32 sums"),
        }?;
        match self.finest {
            FinestLevel::AtOnce => Ok(()),
            FinestLevel::InSteps(step) => write!(f, ", finest level in steps of {step}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vae::tiles::Chunk;

    #[test]
    fn the_references_ways_keep_their_names() {
        assert_eq!(DecodeScheme::default().to_string(), "Time");
        let tiled = DecodeScheme::from(SpaceTiling::Reference);
        assert_eq!(tiled.to_string(), "TimeAndSpace");
        let chunked = DecodeScheme {
            time: TimeTiling::Chunked(Chunk::new(3, None)),
            precision: Precision::F32Sums,
            ..tiled
        };
        let expected = "Chunks(3+3, blend 4)AndSpace in f32 sums";
        assert_eq!(chunked.to_string(), expected);
        let in_steps = DecodeScheme {
            finest: FinestLevel::InSteps(2),
            ..chunked
        };
        let expected = format!("{expected}, finest level in steps of 2");
        assert_eq!(in_steps.to_string(), expected);
    }
}
