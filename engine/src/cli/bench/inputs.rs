//! Random arguments of a forward, in the sizes of FramePack's sections.

use std::str::FromStr;

use framepack_engine::transformer::{Conditioning, Config, Context};
use tch::{Device, Kind, Tensor};

use crate::cli::forward::transformer::Arguments;

/// Vectors of the image encoder.
const IMAGE_TOKENS: i64 = 729;

/// The sizes of random arguments.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct RandomInputs {
    /// Size of the video in pixels
    #[arg(long, value_name = "HEIGHTxWIDTH", default_value = "608x640")]
    pub(super) size: VideoSize,
    /// Valid text tokens (of 512)
    #[arg(long, default_value_t = 60)]
    pub(super) text_tokens: i64,
}

impl RandomInputs {
    /// Arguments in the sizes of FramePack's first sections: nine latent frames, 2 + 2 + 16 clean ones.
    pub(super) fn random(&self, config: &Config, options: (Kind, Device)) -> Arguments {
        let (kind, device) = options;
        let VideoSize {
            height_px,
            width_px,
        } = self.size;
        let scalar = |value: f64| Tensor::full([1], value, (Kind::Float, device));
        let frames = |first: i64, count: i64| {
            let latents = Tensor::randn(
                [1, config.in_channels, count, height_px / 8, width_px / 8],
                options,
            );
            let indices =
                Tensor::arange_start(first, first + count, (Kind::Int64, device)).unsqueeze(0);
            (latents, indices)
        };
        let (hidden_states, latent_indices) = frames(1, 9);
        let valid = Tensor::arange(512, (Kind::Int64, device))
            .lt(self.text_tokens)
            .unsqueeze(0);
        Arguments {
            hidden_states,
            timestep: scalar(872.0),
            guidance: Some(scalar(9984.0)),
            conditioning: Conditioning {
                encoder_hidden_states: Tensor::randn(
                    [1, 512, config.text_embed_dim],
                    (kind, device),
                ),
                encoder_attention_mask: Some(valid),
                pooled_projections: Tensor::randn(
                    [1, config.pooled_projection_dim],
                    (kind, device),
                ),
                image_embeddings: Some(Tensor::randn(
                    [1, IMAGE_TOKENS, config.image_proj_dim],
                    (kind, device),
                )),
            },
            context: Context {
                latent_indices,
                clean: Some(frames(0, 2)),
                clean_2x: Some(frames(11, 2)),
                clean_4x: Some(frames(13, 16)),
            },
        }
    }
}

/// Height and width in pixels, multiples of 16.
#[derive(Debug, Clone, Copy)]
pub(super) struct VideoSize {
    pub(super) height_px: i64,
    pub(super) width_px: i64,
}

impl Default for VideoSize {
    /// A bucket of FramePack's.
    fn default() -> Self {
        Self {
            height_px: 608,
            width_px: 640,
        }
    }
}

impl FromStr for VideoSize {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let side = |text: &str| text.parse().ok().filter(|px: &i64| *px > 0 && px % 16 == 0);
        text.split_once('x')
            .and_then(|(h, w)| {
                Some(Self {
                    height_px: side(h)?,
                    width_px: side(w)?,
                })
            })
            .ok_or("expected HEIGHTxWIDTH, both multiples of 16")
    }
}
