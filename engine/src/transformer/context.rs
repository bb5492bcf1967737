//! Context packing: the latents to denoise and the clean latents around them as one sequence of tokens.
//!
//! FramePack's idea (arXiv:2504.12626): frames far from the section are patched with larger kernels, so that
//! the context costs a fixed number of tokens whatever the video's length. Order of the sequence:
//! 4x | 2x | clean (1x) | latents to denoise.

use tch::Tensor;

use super::{config::Config, pad::pad_to_multiple, rope::Rope};
use crate::{
    nn::Conv3d,
    weights::{Weights, WeightsError},
};

/// Patch of the full resolution, (t, y, x) in latent pixels.
const PATCH: [i64; 3] = [1, 2, 2];

/// Which frames a section sees besides those that it denoises.
///
/// Latents are (1, C, n, H, W), indices (1, n) i64: positions of the frames in time.
#[derive(Debug)]
pub struct Context {
    /// Positions of the frames being denoised, (1, T).
    pub latent_indices: Tensor,
    /// Frames at full resolution, with their indices.
    pub clean: Option<(Tensor, Tensor)>,
    /// Frames patched by (2, 4, 4), with their indices.
    pub clean_2x: Option<(Tensor, Tensor)>,
    /// Frames patched by (4, 8, 8), with their indices.
    pub clean_4x: Option<(Tensor, Tensor)>,
}

/// The packed sequence.
#[derive(Debug)]
pub(super) struct Packed {
    /// (1, L, D)
    pub(super) tokens: Tensor,
    /// Positions of those tokens.
    pub(super) rope: Rope,
    /// How many tokens at the end belong to the latents being denoised.
    pub(super) latent_tokens: i64,
}

/// One group's convolution with kernel = stride, and how much coarser than [`PATCH`] it is.
#[derive(Debug)]
struct PatchEmbed {
    proj: Conv3d,
    kernel: [i64; 3],
    pool: [i64; 3],
}

impl PatchEmbed {
    fn load(w: &Weights<'_>, config: &Config, pool: [i64; 3]) -> Result<Self, WeightsError> {
        let kernel = [0, 1, 2].map(|axis| PATCH[axis] * pool[axis]);
        let proj = Conv3d::load(w, config.in_channels, config.hidden_size(), kernel, kernel)?;
        Ok(Self { proj, kernel, pool })
    }

    /// (1, C, n, H, W) → (1, tokens, D)
    fn forward(&self, latents: &Tensor) -> Tensor {
        let patches = self.proj.forward(&pad_to_multiple(latents, self.kernel)); // (1, D, t, h, w)
        patches.flatten(2, 4).transpose(1, 2)
    }
}

/// The patch embeddings of all four groups.
#[derive(Debug)]
pub(super) struct ContextPacking {
    latents: PatchEmbed,
    clean: Option<CleanEmbeds>,
    config: Config,
}

#[derive(Debug)]
struct CleanEmbeds {
    x1: PatchEmbed,
    x2: PatchEmbed,
    x4: PatchEmbed,
}

impl ContextPacking {
    pub(super) fn load(w: &Weights<'_>, config: &Config) -> Result<Self, WeightsError> {
        let clean = w.pp("clean_x_embedder");
        let load_clean = || {
            Ok(CleanEmbeds {
                x1: PatchEmbed::load(&clean.pp("proj"), config, [1, 1, 1])?,
                x2: PatchEmbed::load(&clean.pp("proj_2x"), config, [2, 2, 2])?,
                x4: PatchEmbed::load(&clean.pp("proj_4x"), config, [4, 4, 4])?,
            })
        };
        Ok(Self {
            latents: PatchEmbed::load(&w.pp("x_embedder").pp("proj"), config, [1, 1, 1])?,
            clean: config.has_clean_x_embedder.then(load_clean).transpose()?,
            config: config.clone(),
        })
    }

    /// Size of the weights.
    pub(super) fn bytes(&self) -> u64 {
        let clean = self.clean.iter().flat_map(|c| [&c.x1, &c.x2, &c.x4]);
        clean
            .chain([&self.latents])
            .map(|embed| embed.proj.bytes())
            .sum()
    }

    /// `latents`: (1, C, T, H, W) with even H and W; clean latents are cast to their type.
    pub(super) fn forward(&self, latents: &Tensor, context: &Context) -> Packed {
        let (.., height, width) = latents.size5().expect("latents are (B, C, T, H, W)");
        let grid = [height / PATCH[1], width / PATCH[2]];
        let embed = |embed: &PatchEmbed, x: &Tensor, indices: &Tensor| {
            let tokens = embed.forward(&x.to_kind(latents.kind()));
            (tokens, Rope::new(&self.config, indices, grid, embed.pool))
        };

        let mut groups = Vec::with_capacity(4);
        if let Some(clean) = &self.clean {
            let members = [
                (&clean.x4, &context.clean_4x),
                (&clean.x2, &context.clean_2x),
                (&clean.x1, &context.clean),
            ];
            for (patch, group) in members {
                groups.extend(group.as_ref().map(|(x, indices)| embed(patch, x, indices)));
            }
        }
        groups.push(embed(&self.latents, latents, &context.latent_indices));

        let (tokens, ropes): (Vec<Tensor>, Vec<Rope>) = groups.into_iter().unzip();
        let latent_tokens = tokens.last().map_or(0, |x| x.size()[1]);
        Packed {
            tokens: Tensor::cat(&tokens, 1),
            rope: Rope::cat(&ropes),
            latent_tokens,
        }
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;
    use crate::weights::Loading;

    const CONFIG: Config = Config {
        in_channels: 1,
        out_channels: 1,
        num_attention_heads: 1,
        attention_head_dim: 6,
        num_layers: 0,
        num_single_layers: 0,
        num_refiner_layers: 0,
        mlp_ratio: 4.0,
        text_embed_dim: 1,
        pooled_projection_dim: 1,
        rope_theta: 256.0,
        rope_axes_dim: [2, 2, 2],
        guidance_embeds: true,
        has_image_proj: true,
        image_proj_dim: 1,
        has_clean_x_embedder: true,
    };

    /// Tokens of a section of nine frames with 2 + 2 + 16 clean ones.
    fn packed([height, width]: [i64; 2]) -> Packed {
        let f32 = (Kind::Float, Device::Cpu);
        let frames = |count: i64| {
            let indices = Tensor::arange(count, (Kind::Int64, Device::Cpu)).unsqueeze(0);
            (Tensor::zeros([1, 1, count, height, width], f32), indices)
        };
        let (latents, latent_indices) = frames(9);
        let context = Context {
            latent_indices,
            clean: Some(frames(2)),
            clean_2x: Some(frames(2)),
            clean_4x: Some(frames(16)),
        };
        let loading = Loading::shapes();
        let weights = loading.weights(Device::Cpu, Kind::Float);
        let packing = ContextPacking::load(&weights, &CONFIG).unwrap();
        packing.forward(&latents, &context)
    }

    #[test]
    fn token_counts_of_framepacks_buckets() {
        // Height and width in latent pixels; tokens in all, and of the latents being denoised.
        for (size, total, latent) in [
            ([52, 120], 17_970, 14_040),
            ([56, 108], 17_402, 13_608),
            ([68, 88], 17_226, 13_464),
            ([76, 80], 17_500, 13_680),
            ([80, 80], 18_400, 14_400),
        ] {
            let packed = packed(size);
            assert_eq!(packed.tokens.size(), [1, total, 6], "{size:?}");
            assert_eq!(packed.latent_tokens, latent, "{size:?}");
        }
    }
}
