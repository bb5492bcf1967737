//! What the VAE takes while it decodes, its weights aside.

use tch::Kind;

use super::{
    config::Config,
    scheme::{DecodeScheme, Precision},
    tiles::TimeTile,
};
use crate::section::pixel_frames;

/// Of what decoding has alive, how much torch's allocator holds beside it: freed pieces between live ones, of other
/// sizes than the next tensors want. Measured on an H100 with 18 latent frames of 608x640, whole and in spatial tiles:
/// 9.5 and 11.3 % beside 21.2 and 3.7 GiB. Nobody else can have it while the decode lasts.
const FRAGMENTATION: (u64, u64) = (1, 10);

/// Tensors of the finest level but one (as wide as its channels, as large as the video) that live where the decoder
/// takes most.
#[derive(Debug, Clone, Copy, PartialEq)]
struct PeakTensors {
    /// Of each frame.
    per_frame: f64,
    /// What does not grow with the number of frames, in frames.
    extra_frames: f64,
}

impl PeakTensors {
    /// Calibrated with diffusers' class in f16 at 608x640: 2.3, 7.3, 16.8 and 21.5 GiB for 1, 2, 4 and 9 latent
    /// frames, and 4.1 GiB in spatial tiles, weights included. Sums in f32 add the input of the finest level, the norm
    /// that is made of it and its narrower copy.
    fn assumed(precision: Precision) -> Self {
        let per_frame = match precision {
            Precision::Model => 6.47,
            Precision::F32Sums => 6.47 + 3.0,
        };
        Self {
            per_frame,
            extra_frames: 0.53,
        }
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
}

impl DecodeCost<'_> {
    /// Most bytes that decoding takes beside the VAE's weights: its tensors, and what torch's allocator holds for them.
    pub fn working_bytes(&self) -> u64 {
        let (part, whole) = FRAGMENTATION;
        self.allocated_bytes() + self.allocated_bytes() * part / whole
    }

    /// Most bytes that decoding has alive beside the VAE's weights, pieces of finished frames among them. More latent
    /// frames than a piece along time has go through one piece after the other.
    pub fn allocated_bytes(&self) -> u64 {
        let peak = PeakTensors::assumed(self.scheme.precision);
        let longest = self.scheme.time.longest().unsigned_abs();
        let frames = frames_of(self.latent_frames.min(longest)) as f64;
        let [width, height] = self.tile_px();
        let channels = self.config.block_out_channels[1].unsigned_abs();
        let number = (width * height * channels * bytes_of(self.kind)) as f64;
        let tile = peak.per_frame * number * (frames + peak.extra_frames);
        tile as u64 + self.video_bytes()
    }

    /// How much is computed, in frames of one pixel.
    pub fn work(&self) -> u64 {
        let tiles = self.scheme.time.tiles(self.latent_frames.max(1) as i64);
        let frames = tiles.iter().map(TimeTile::length);
        let frames: u64 = frames
            .map(|latents| frames_of(latents.unsigned_abs()))
            .sum();
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

    /// Width and height of what is decoded at once.
    fn tile_px(&self) -> [u64; 2] {
        let tile = self.scheme.space.tile_px().map(i64::unsigned_abs);
        self.size_px
            .map(|side| tile.map_or(side, |tile| side.min(tile)))
    }

    /// All decoded frames.
    fn video_bytes(&self) -> u64 {
        let kind = match self.scheme.precision {
            Precision::Model => self.kind,
            Precision::F32Sums => Kind::Float,
        };
        let [width, height] = self.size_px;
        let colours = self.config.out_channels.unsigned_abs();
        frames_of(self.latent_frames) * width * height * colours * bytes_of(kind)
    }
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
