//! The whole autoencoder: pixels to latents and back, in one piece or in tiles.

use std::rc::Rc;

use tch::{Device, Kind, Tensor};

use super::{
    config::Config,
    decoder::Decoder,
    encoder::Encoder,
    finished::{FinishedParts, FinishedSteps, are_tiles_kept},
    frames::Frames,
    scheme::DecodeScheme,
    tiles::{Joined, SpaceTiling, TimeTile, encode_tiles, over_space},
};
use crate::{
    kernels::Kernels,
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
    /// What computes between convolutions. Without them the reference's operations do, bit for bit.
    kernels: Option<Rc<Kernels>>,
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
            kernels: None,
        })
    }

    /// The same VAE, computed with these kernels and not in the reference's order.
    #[must_use]
    pub fn with_kernels(mut self, kernels: &Rc<Kernels>) -> Self {
        let _no_grad = tch::no_grad_guard();
        self.encoder.pack();
        self.decoder.pack();
        self.kernels = Some(Rc::clone(kernels));
        self
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
            let samples = self.at_once(tile.of(pixels));
            let encoded = samples.iter().map(|x| self.encode_tile(x, space));
            moments.push(&tile, &joined(encoded.collect()));
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
            let part = |x: Tensor| {
                let finished = &mut FinishedParts::default();
                self.decode_tile(&x, (&tile, scheme), finished, &mut || {})
            };
            let samples = latents.split(1, 0).into_iter().map(part);
            frames.push(&tile, &joined(samples.collect()));
        }
        frames.whole()
    }

    /// One of the tiles along time, of all the latents of one sample: what [`Joined`] joins, (1, 3, F, 8h, 8w). Goes on
    /// where `finished` ends. `after_part` is called after each tile in space and each step, and may end it by a panic.
    pub(crate) fn decode_tile(
        &self,
        latents: &Tensor,
        (tile, scheme): (&TimeTile, DecodeScheme),
        finished: &mut FinishedParts,
        after_part: &mut dyn FnMut(),
    ) -> Tensor {
        let latents = tile.of(latents);
        let ratio = self.config.spatial_compression_ratio;
        let size = [latents.size()[3], latents.size()[4]];
        let cut = scheme.space.decode_cut(ratio);
        let cut = cut.filter(|cut| size.iter().any(|side| *side > cut.length));
        let tile_px = cut.and_then(|_| scheme.space.tile_px());
        finished.keep_of(&tile.input, (tile_px, scheme.precision));
        let mut decoder = |x: &Tensor, finished: &mut FinishedSteps| {
            let latents = self.frames(&self.post_quant_conv.forward(x));
            let latents = (latents, x.device());
            let frames = self.decoder.forward(latents, scheme, finished, after_part);
            if cut.is_some() {
                after_part();
            }
            frames
        };
        match cut {
            Some(cut) => {
                let mut numbers = 0..;
                over_space(&latents, cut, size.map(|side| side * ratio), |x| {
                    if !are_tiles_kept(scheme) {
                        return decoder(x, &mut FinishedSteps::default());
                    }
                    let number = numbers.next().expect("numbers do not end");
                    finished.tile((number, x.device()), |steps| decoder(x, steps))
                })
            }
            None => decoder(&latents, finished.steps()),
        }
    }

    /// The samples of `x` that are encoded together: with kernels one.
    fn at_once(&self, x: Tensor) -> Vec<Tensor> {
        match self.kernels {
            None => vec![x],
            Some(_) => x.split(1, 0),
        }
    }

    /// What is computed together, (B, C, T, H, W), as the layers take it.
    fn frames(&self, x: &Tensor) -> Frames {
        Frames::new(x, self.kernels.as_ref())
    }

    fn encode_tile(&self, pixels: &Tensor, space: SpaceTiling) -> Tensor {
        let encoder = |x: &Tensor| {
            self.quant_conv
                .forward(&self.encoder.forward(self.frames(x)))
        };
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

/// All samples.
fn joined(mut samples: Vec<Tensor>) -> Tensor {
    match samples.len() {
        1 => samples.remove(0),
        _ => Tensor::cat(&samples, 0),
    }
}

#[cfg(test)]
mod tests;
