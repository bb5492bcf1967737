//! What the VAE takes while it decodes, its weights aside.

use tch::Kind;

use super::{
    config::Config,
    tiles::{Cut, Tiling},
};
use crate::section::pixel_frames;

/// Tensors of the finest level but one (as wide as its channels, as large as the video) that live where the
/// decoder takes most; calibrated, see [`Decoding::allocated_bytes`].
const PEAK_TENSORS: f64 = 6.47;
/// What does not grow with the number of frames, in frames.
const PEAK_FRAMES_EXTRA: f64 = 0.53;
/// Of what decoding has alive, how much torch's allocator holds beside it: freed pieces between live ones, of other
/// sizes than the next tensors want. Measured on an H100 with 18 latent frames of 608x640, whole and in spatial tiles:
/// 9.5 and 11.3 % beside 21.2 and 3.7 GiB. Nobody else can have it while the decode lasts.
const FRAGMENTATION: (u64, u64) = (1, 10);

/// What the VAE is to decode at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decoding<'a> {
    /// The VAE.
    pub config: &'a Config,
    /// Type that it computes in.
    pub kind: Kind,
    /// Width and height of the video in pixels.
    pub size_px: [u64; 2],
    /// Latent frames that are decoded together.
    pub latent_frames: u64,
    /// How the frames are cut.
    pub tiling: Tiling,
}

impl Decoding<'_> {
    /// Most bytes that decoding takes beside the VAE's weights: its tensors, and what torch's allocator holds for them.
    pub fn working_bytes(&self) -> u64 {
        let (part, whole) = FRAGMENTATION;
        self.allocated_bytes() + self.allocated_bytes() * part / whole
    }

    /// Most bytes that decoding has alive beside the VAE's weights, pieces of finished frames among them.
    ///
    /// Calibrated with diffusers' class in f16 at 608x640: 2.3, 7.3, 16.8 and 21.5 GiB for 1, 2, 4 and 9 latent
    /// frames, and 4.1 GiB in spatial tiles, weights included. More latent frames than a piece along time has go
    /// through one piece after the other.
    pub fn allocated_bytes(&self) -> u64 {
        let longest = Cut::decode_time(self.config).longest_piece();
        let frames = frames_of(self.latent_frames.min(longest.unsigned_abs())) as f64;
        let [width, height] = match self.tiling {
            Tiling::Time => self.size_px,
            Tiling::TimeAndSpace => self.size_px.map(|side| side.min(self.tile_px())),
        };
        let channels = self.config.block_out_channels[1].unsigned_abs();
        let number = (width * height * channels * self.kind_bytes()) as f64;
        let tile = PEAK_TENSORS * number * (frames + PEAK_FRAMES_EXTRA);
        tile as u64 + self.video_bytes()
    }

    /// Side of a spatial tile.
    fn tile_px(&self) -> u64 {
        let latent_side = Cut::decode_space(self.config).length;
        (latent_side * self.config.spatial_compression_ratio).unsigned_abs()
    }

    /// All decoded frames.
    fn video_bytes(&self) -> u64 {
        let [width, height] = self.size_px;
        let colours = self.config.out_channels.unsigned_abs();
        frames_of(self.latent_frames) * width * height * colours * self.kind_bytes()
    }

    fn kind_bytes(&self) -> u64 {
        self.kind.elt_size_in_bytes() as u64
    }
}

/// Pixel frames of so many latent frames, of which there is at least one.
fn frames_of(latent_frames: u64) -> u64 {
    pixel_frames(latent_frames.max(1) as i64).unsigned_abs()
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, convert::Infallible};

    use tch::{Device, Tensor};

    use super::*;
    use crate::vae::tiles::{over_space, over_time};

    const GIB: u64 = 1 << 30;
    const VAE_BYTES: u64 = 493_000_000;

    fn decoding(config: &Config, latent_frames: u64, tiling: Tiling) -> Decoding<'_> {
        Decoding {
            config,
            kind: Kind::Half,
            size_px: [608, 640],
            latent_frames,
            tiling,
        }
    }

    #[test]
    fn the_measured_decodes_are_predicted() {
        let config = Config::published();
        for (latent_frames, tiling, measured_gib) in [
            (1, Tiling::Time, 2.3),
            (2, Tiling::Time, 7.3),
            (4, Tiling::Time, 16.8),
            (9, Tiling::Time, 21.5),
            (18, Tiling::Time, 21.6),
            (9, Tiling::TimeAndSpace, 4.1),
            (18, Tiling::TimeAndSpace, 4.2),
        ] {
            let bytes = VAE_BYTES + decoding(&config, latent_frames, tiling).allocated_bytes();
            let gib = bytes as f64 / GIB as f64;
            let ratio = gib / measured_gib;
            assert!(
                (ratio - 1.0).abs() < 0.05,
                "{latent_frames} {tiling:?}: {gib}, measured {measured_gib}"
            );
        }
    }

    #[test]
    fn spatial_tiles_bound_the_size() {
        let config = Config::published();
        let growth = |tiling| {
            let small = decoding(&config, 5, tiling);
            let large = Decoding {
                size_px: [1216, 640],
                ..small
            };
            large.working_bytes() as f64 / small.working_bytes() as f64
        };
        assert!(growth(Tiling::Time) > 1.99);
        assert!(growth(Tiling::TimeAndSpace) < 1.02);
    }

    #[test]
    fn the_largest_piece_that_tiling_makes_is_counted() {
        let config = Config::published();
        let [height, width, frames] = [76, 80, 50];
        let latents = |size: [i64; 3]| {
            let [t, h, w] = size;
            Tensor::zeros([1, 1, t, h, w], (Kind::Float, Device::Cpu))
        };
        let largest = Cell::new([0; 3]);
        let decode = |piece: &Tensor| {
            let size = piece.size();
            let size = [size[2], size[3], size[4]];
            let before = largest.get();
            largest.set([0, 1, 2].map(|axis| size[axis].max(before[axis])));
            let [t, h, w] = size;
            latents([pixel_frames(t), 8 * h, 8 * w])
        };
        let whole = latents([frames, height, width]);
        let size_px = [8 * height, 8 * width];
        let Ok(video) = over_time(
            &whole,
            Cut::decode_time(&config),
            pixel_frames(frames),
            |piece| {
                let tiles = Cut::decode_space(&config);
                Ok::<_, Infallible>(over_space(piece, tiles, size_px, decode))
            },
        );
        assert_eq!(video.size()[2], pixel_frames(frames));
        let beside_the_video = |size: [i64; 3], tiling| {
            let [t, h, w] = size.map(i64::unsigned_abs);
            let decoding = Decoding {
                config: &config,
                kind: Kind::Half,
                size_px: [8 * w, 8 * h],
                latent_frames: t,
                tiling,
            };
            decoding.allocated_bytes() - decoding.video_bytes()
        };
        assert_eq!(
            beside_the_video([frames, height, width], Tiling::TimeAndSpace),
            beside_the_video(largest.get(), Tiling::Time)
        );
    }
}
