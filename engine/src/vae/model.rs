//! The whole autoencoder: pixels to latents and back, in one piece or in tiles.

use std::convert::Infallible;

use tch::{Device, Kind, Tensor};

use super::{
    config::Config,
    decoder::Decoder,
    encoder::Encoder,
    tiles::{Cut, Tiling, over_space, over_time},
};
use crate::{
    nn::Conv3d,
    section::pixel_frames,
    weights::{Layout, ModelSource, Weights, WeightsError},
};

/// The VAE.
#[derive(Debug)]
pub struct Vae {
    config: Config,
    encoder: Encoder,
    decoder: Decoder,
    quant_conv: Conv3d,
    post_quant_conv: Conv3d,
}

/// What the encoder knows of the latents: a normal distribution per element, unscaled.
#[derive(Debug)]
pub struct Posterior {
    /// (B, C, T, h, w)
    pub mean: Tensor,
    /// (B, C, T, h, w), within [−30, 20]
    pub logvar: Tensor,
}

impl Vae {
    /// Opens and loads the component `source`.
    pub fn open(source: &ModelSource, device: Device, kind: Kind) -> Result<Self, WeightsError> {
        let config = Config::read(source.config_dir())?;
        source.load(&Layout::DIFFUSERS, (device, kind), |w| {
            Self::load(w, &config)
        })
    }

    /// Loads encoder and decoder.
    pub fn load(w: &Weights<'_>, config: &Config) -> Result<Self, WeightsError> {
        let pointwise =
            |name, channels| Conv3d::load(&w.pp(name), channels, channels, [1, 1, 1], [1, 1, 1]);
        Ok(Self {
            config: config.clone(),
            encoder: Encoder::load(&w.pp("encoder"), config)?,
            decoder: Decoder::load(&w.pp("decoder"), config)?,
            quant_conv: pointwise("quant_conv", 2 * config.latent_channels)?,
            post_quant_conv: pointwise("post_quant_conv", config.latent_channels)?,
        })
    }

    /// What latents are multiplied by after encoding and divided by before decoding.
    pub fn scaling_factor(&self) -> f64 {
        self.config.scaling_factor
    }

    /// `pixels`: (B, 3, F, H, W) in [−1, 1], H and W multiples of 8 → (F−1)/4+1 latents.
    pub fn encode(&self, pixels: &Tensor, tiling: Tiling) -> Posterior {
        let frames = pixels.size()[2];
        let latent_frames = (frames - 1) / self.config.temporal_compression_ratio + 1;
        let cut = Cut::encode_time(&self.config);
        let moments = if frames > cut.length {
            let Ok(moments) = over_time(pixels, cut, latent_frames, |piece| {
                Ok::<_, Infallible>(self.encode_piece(piece, tiling))
            });
            moments
        } else {
            self.encode_piece(pixels, tiling)
        };
        let moments = moments.chunk(2, 1); // each (B, C, T, h, w)
        Posterior {
            mean: moments[0].shallow_clone(),
            logvar: moments[1].clamp(-30.0, 20.0),
        }
    }

    /// `latents`: (B, C, T, h, w), divided by the scaling factor → (B, 3, 4(T−1)+1, 8h, 8w), about
    /// [−1, 1] and not clamped.
    pub fn decode(&self, latents: &Tensor, tiling: Tiling) -> Tensor {
        let Ok(frames) = self.decode_by(latents, tiling, |_, decode| Ok::<_, Infallible>(decode()));
        frames
    }

    /// The same, piece by piece along time: `piece` is called for each, with its number and what decodes it, and returns
    /// the piece's frames, (B, 3, F, H, W), or a failure that ends it.
    pub(crate) fn decode_by<E>(
        &self,
        latents: &Tensor,
        tiling: Tiling,
        mut piece: impl FnMut(u32, &dyn Fn() -> Tensor) -> Result<Tensor, E>,
    ) -> Result<Tensor, E> {
        let latent_frames = latents.size()[2];
        let cut = Cut::decode_time(&self.config);
        if latent_frames <= cut.length {
            return piece(0, &|| self.decode_piece(latents, tiling));
        }
        let mut numbers = 0..;
        over_time(latents, cut, pixel_frames(latent_frames), |latents| {
            let number = numbers.next().expect("it has no end");
            piece(number, &|| self.decode_piece(latents, tiling))
        })
    }

    fn encode_piece(&self, pixels: &Tensor, tiling: Tiling) -> Tensor {
        let pass = |x: &Tensor| self.quant_conv.forward(&self.encoder.forward(x));
        let size = [pixels.size()[3], pixels.size()[4]];
        let cut = Cut::encode_space(&self.config);
        if tiling == Tiling::TimeAndSpace && size.iter().any(|side| *side > cut.length) {
            let latent_size = size.map(|side| side / self.config.spatial_compression_ratio);
            over_space(pixels, cut, latent_size, pass)
        } else {
            pass(pixels)
        }
    }

    fn decode_piece(&self, latents: &Tensor, tiling: Tiling) -> Tensor {
        let pass = |x: &Tensor| self.decoder.forward(&self.post_quant_conv.forward(x));
        let size = [latents.size()[3], latents.size()[4]];
        let cut = Cut::decode_space(&self.config);
        if tiling == Tiling::TimeAndSpace && size.iter().any(|side| *side > cut.length) {
            let size_px = size.map(|side| side * self.config.spatial_compression_ratio);
            over_space(latents, cut, size_px, pass)
        } else {
            pass(latents)
        }
    }
}
