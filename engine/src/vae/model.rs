//! The whole autoencoder: pixels to latents and back, in one piece or in tiles.

use tch::{Device, Kind, Tensor};

use super::{
    config::Config,
    decoder::Decoder,
    encoder::Encoder,
    scheme::DecodeScheme,
    tiles::{Joined, SpaceTiling, TimeTile, encode_tiles, over_space},
};
use crate::{
    nn::Conv3d,
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

    /// What it is made like.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// What latents are multiplied by after encoding and divided by before decoding.
    pub fn scaling_factor(&self) -> f64 {
        self.config.scaling_factor
    }

    /// `pixels`: (B, 3, F, H, W) in [−1, 1], H and W multiples of 8 → (F−1)/4+1 latents.
    pub fn encode(&self, pixels: &Tensor, space: SpaceTiling) -> Posterior {
        let mut moments = Joined::default();
        for tile in encode_tiles(pixels.size()[2]) {
            moments.push(&tile, &self.encode_tile(&tile.of(pixels), space));
        }
        let moments = moments.whole().chunk(2, 1); // each (B, C, T, h, w)
        Posterior {
            mean: moments[0].shallow_clone(),
            logvar: moments[1].clamp(-30.0, 20.0),
        }
    }

    /// `latents`: (B, C, T, h, w), divided by the scaling factor → (B, 3, 4(T−1)+1, 8h, 8w), about
    /// [−1, 1] and not clamped.
    pub fn decode(&self, latents: &Tensor, scheme: DecodeScheme) -> Tensor {
        let mut frames = Joined::default();
        for tile in scheme.time.tiles(latents.size()[2]) {
            frames.push(&tile, &self.decode_tile(latents, &tile, scheme));
        }
        frames.whole()
    }

    /// One of the tiles along time, of all the latents: what [`Joined`] joins, (B, 3, F, 8h, 8w).
    pub(crate) fn decode_tile(
        &self,
        latents: &Tensor,
        tile: &TimeTile,
        scheme: DecodeScheme,
    ) -> Tensor {
        let latents = tile.of(latents);
        let decoder = |x: &Tensor| {
            let latents = self.post_quant_conv.forward(x);
            self.decoder.forward(&latents, scheme)
        };
        let ratio = self.config.spatial_compression_ratio;
        let size = [latents.size()[3], latents.size()[4]];
        match scheme.space.decode_cut(ratio) {
            Some(cut) if size.iter().any(|side| *side > cut.length) => {
                over_space(&latents, cut, size.map(|side| side * ratio), decoder)
            }
            _ => decoder(&latents),
        }
    }

    fn encode_tile(&self, pixels: &Tensor, space: SpaceTiling) -> Tensor {
        let encoder = |x: &Tensor| self.quant_conv.forward(&self.encoder.forward(x));
        let ratio = self.config.spatial_compression_ratio;
        let size = [pixels.size()[3], pixels.size()[4]];
        match space.encode_cut(ratio) {
            Some(cut) if size.iter().any(|side| *side > cut.length) => {
                over_space(pixels, cut, size.map(|side| side / ratio), encoder)
            }
            _ => encoder(pixels),
        }
    }
}

#[cfg(test)]
mod tests;
