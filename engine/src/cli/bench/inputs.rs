//! Random arguments of a forward, in the sizes of FramePack's sections.

use std::str::FromStr;

use framepack_engine::{
    section::CONTEXT_LATENT_FRAMES,
    text::prompt::PADDED_TOKENS,
    transformer::{Conditioning, Config, Context},
};
use framepack_jobs::BundleDefaults;
use tch::{Device, Kind, Tensor};

use crate::cli::forward::transformer::Arguments;

/// Vectors of the image encoder: the published SigLIP cuts a picture of 384 x 384 into 27 x 27 patches of 14 x 14.
const IMAGE_TOKENS: i64 = 27 * 27;

/// Side of a latent: the published VAE's `spatial_compression_ratio`.
const LATENT_SIDE_PX: i64 = 8;

/// The sizes of random arguments.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct RandomInputs {
    /// Size of the video in pixels
    #[arg(long, value_name = "HEIGHTxWIDTH", default_value = "608x640")]
    pub(super) size: VideoSize,
    #[arg(long, default_value_t = 60, help = format!("Valid text tokens (of {PADDED_TOKENS})"))]
    pub(super) text_tokens: i64,
}

impl RandomInputs {
    /// Height and width of the video.
    pub(super) fn size_px(&self) -> [u32; 2] {
        [self.size.height_px, self.size.width_px].map(|px| px as u32)
    }

    /// Arguments in the sizes of FramePack's sections: a window of latent frames, behind it the history at half and
    /// at quarter resolution.
    pub(super) fn random(&self, config: &Config, options: (Kind, Device)) -> Arguments {
        let (kind, device) = options;
        let VideoSize {
            height_px,
            width_px,
        } = self.size;
        let size = [height_px, width_px].map(|px| px / LATENT_SIDE_PX);
        let scalar = |value: f64| Tensor::full([1], value, (Kind::Float, device));
        let frames = |first: i64, count: i64| {
            let [height, width] = size;
            let latents = Tensor::randn([1, config.in_channels, count, height, width], options);
            let indices =
                Tensor::arange_start(first, first + count, (Kind::Int64, device)).unsqueeze(0);
            (latents, indices)
        };
        let start = 1;
        let window = i64::from(BundleDefaults::default().latent_window);
        let [near, half, quarter] = CONTEXT_LATENT_FRAMES;
        let behind = start + window + near;
        let (hidden_states, latent_indices) = frames(start, window);
        let padded_tokens = PADDED_TOKENS as i64;
        let valid = Tensor::arange(padded_tokens, (Kind::Int64, device))
            .lt(self.text_tokens)
            .unsqueeze(0);
        Arguments {
            hidden_states,
            timestep: scalar(872.0),
            guidance: Some(scalar(9984.0)),
            conditioning: Conditioning {
                encoder_hidden_states: Tensor::randn(
                    [1, padded_tokens, config.text_embed_dim],
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
                clean: Some(frames(0, start + near)),
                clean_2x: Some(frames(behind, half)),
                clean_4x: Some(frames(behind + half, quarter)),
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
