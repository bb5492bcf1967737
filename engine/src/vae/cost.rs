//! What the VAE takes while it decodes, its weights aside.

use tch::Kind;

use super::{
    config::Config,
    scheme::{DecodeScheme, Precision},
    tiles::TimeTile,
};
use crate::{kernels::KernelUse, section::pixel_frames};

/// Of what decoding has alive, how much torch's allocator holds beside it: freed pieces between live ones, of other
/// sizes than the next tensors want. Nobody else can have it while the decode lasts.
const FRAGMENTATION: (u64, u64) = (1, 10);

/// What the convolutions of the finest level keep from a step to the next, in tensors of one frame as in [`PeakTensors`]:
/// two frames each, of which two convolutions read all channels and six half of them, and what joins them.
const PASTS: f64 = 12.0;

/// Tensors of the finest level but one (as wide as its channels, as large as the video) that live where a level takes
/// most.
#[derive(Debug, Clone, Copy, PartialEq)]
struct PeakTensors {
    /// Of each frame.
    per_frame: f64,
    /// What does not grow with the number of frames, in frames.
    extra_frames: f64,
}

// Measured on an H100 and, with kernels, on an H200 in f16 at 608x640, whole and in tiles: docs/PERFORMANCE.md.
impl PeakTensors {
    /// In the finest level: of all frames at once, or of a step.
    fn finest(precision: Precision, kernels: KernelUse) -> Self {
        Self {
            per_frame: match (kernels, precision) {
                (KernelUse::Off, Precision::Model) => 5.23,
                (KernelUse::Off, Precision::F32Sums) => 6.25,
                (KernelUse::On, Precision::Model) => 2.75,
                (KernelUse::On, Precision::F32Sums) => 4.4,
            },
            extra_frames: 0.7,
        }
    }

    /// In the levels before it, which are smaller.
    fn coarser(precision: Precision) -> Self {
        Self {
            per_frame: match precision {
                Precision::Model => 1.32,
                Precision::F32Sums => 1.5,
            },
            extra_frames: 4.0,
        }
    }

    fn of(self, frames: f64) -> f64 {
        self.per_frame * (frames + self.extra_frames)
    }
}

/// What the VAE is to decode at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DecodeCost<'a> {
    /// The VAE.
    pub config: &'a Config,
    /// Type of its weights.
    pub kind: Kind,
    /// Width and height of the video in pixels.
    pub size_px: [u64; 2],
    /// Latent frames that are decoded together.
    pub latent_frames: u64,
    /// How they are decoded.
    pub scheme: DecodeScheme,
    /// What computes.
    pub kernels: KernelUse,
}

impl DecodeCost<'_> {
    /// Most bytes that decoding takes beside the VAE's weights: its tensors, and what torch's allocator holds for them.
    pub fn working_bytes(&self) -> u64 {
        held_for(self.allocated_bytes())
    }

    /// Whether frames are decoded in tiles along height and width.
    pub(crate) fn is_in_tiles(&self) -> bool {
        self.tile_px() != self.size_px
    }

    /// Whether the finest level takes a piece in steps.
    pub(crate) fn is_in_steps(&self) -> bool {
        let longest = self.scheme.time.longest().unsigned_abs();
        self.scheme
            .finest
            .first_step(self.latent_frames.min(longest))
            .is_some()
    }

    /// Most bytes that decoding has alive beside the VAE's weights, pieces of finished frames among them. More latent
    /// frames than a piece along time has go through one piece after the other.
    pub fn allocated_bytes(&self) -> u64 {
        let precision = self.scheme.precision;
        let longest = self.scheme.time.longest().unsigned_abs();
        let latent_frames = self.latent_frames.min(longest);
        let frames = frames_of(latent_frames) as f64;
        let [width, height] = self.tile_px();
        let channels = self.config.block_out_channels[1].unsigned_abs();
        let number = (width * height * channels * bytes_of(self.kind)) as f64;
        let finest = PeakTensors::finest(precision, self.kernels);
        let tensors = match self.scheme.finest.first_step(latent_frames) {
            Some(step) => {
                let kept = frames * self.kept_of_coarser() + PASTS;
                let step = kept + finest.of(frames_of(step) as f64);
                step.max(PeakTensors::coarser(precision).of(frames))
            }
            None => finest.of(frames),
        };
        // Tiles in space are joined when all are there.
        let copies = 1 + u64::from(self.is_in_tiles());
        (tensors * number) as u64 + copies * self.video_bytes()
    }

    /// What the coarser levels leave, of one frame: a quarter of its positions, and every second frame.
    fn kept_of_coarser(&self) -> f64 {
        let number_bytes = match self.scheme.precision {
            Precision::Model => bytes_of(self.kind),
            Precision::F32Sums => bytes_of(Kind::Float),
        };
        number_bytes as f64 / bytes_of(self.kind) as f64 / 8.0
    }

    /// How much is computed, in frames of one pixel.
    pub fn work(&self) -> u64 {
        let tiles = self.scheme.time.tiles(self.latent_frames.max(1) as i64);
        let frames = |tile: &TimeTile| {
            let latents = tile.length().unsigned_abs();
            // Steps are computed twice.
            let again = self
                .scheme
                .finest
                .first_step(latents)
                .map_or(0.0, |_| self.finest_share());
            (frames_of(latents) as f64 * (1.0 + again)) as u64
        };
        let frames: u64 = tiles.iter().map(frames).sum();
        let ratio = self.config.spatial_compression_ratio;
        let size = self.size_px.map(|side| side as i64 / ratio);
        let [width, height] = match self.scheme.space.decode_cut(ratio) {
            Some(cut) if size.iter().any(|side| *side > cut.length) => {
                size.map(|side| cut.computed(side))
            }
            _ => size,
        };
        frames * (width * height * ratio * ratio).unsigned_abs()
    }

    /// The finest level's part of what is computed, by its convolutions.
    fn finest_share(&self) -> f64 {
        let channels: Vec<i64> = self
            .config
            .block_out_channels
            .iter()
            .rev()
            .copied()
            .collect();
        let last = channels.len() - 1;
        let mut positions = 1.0;
        let (mut finest, mut all) = (0.0, 0.0);
        for level in (0..=last).rev() {
            let [from, to] = [channels[level.saturating_sub(1)], channels[level]];
            let resnets = 2 * self.config.layers_per_block + 1;
            let upsampled = if level > 0 { from * from } else { 0 };
            let products = (from * to + resnets * to * to + upsampled) as f64 * positions;
            all += products;
            if level == last {
                finest = products;
            }
            let factors = level
                .checked_sub(1)
                .and_then(|before| self.config.resampling(before));
            positions /= factors.map_or(1, |factors| factors.iter().product::<i64>()) as f64;
        }
        finest / all
    }

    /// Width and height of what is decoded at once.
    fn tile_px(&self) -> [u64; 2] {
        let tile = self.scheme.space.tile_px().map(i64::unsigned_abs);
        self.size_px
            .map(|side| tile.map_or(side, |tile| side.min(tile)))
    }

    /// All decoded frames.
    fn video_bytes(&self) -> u64 {
        frames_of(self.latent_frames) * self.frame_bytes()
    }

    /// A decoded frame.
    pub(crate) fn frame_bytes(&self) -> u64 {
        let kind = match self.scheme.precision {
            Precision::Model => self.kind,
            Precision::F32Sums => Kind::Float,
        };
        let [width, height] = self.size_px;
        let colours = self.config.out_channels.unsigned_abs();
        width * height * colours * bytes_of(kind)
    }
}

/// What torch's allocator holds for tensors of so many bytes.
pub(crate) fn held_for(tensors_bytes: u64) -> u64 {
    let (part, whole) = FRAGMENTATION;
    tensors_bytes + tensors_bytes * part / whole
}

fn bytes_of(kind: Kind) -> u64 {
    kind.elt_size_in_bytes() as u64
}

/// Pixel frames of so many latent frames, of which there is at least one.
fn frames_of(latent_frames: u64) -> u64 {
    pixel_frames(latent_frames.max(1) as i64).unsigned_abs()
}

#[cfg(test)]
mod tests;
