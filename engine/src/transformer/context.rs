//! Context packing: the latents to denoise and the clean latents around them as one sequence of tokens.
//!
//! FramePack's idea (arXiv:2504.12626): frames far from the section are patched with larger kernels, so that
//! the context costs a fixed number of tokens whatever the video's length. Order of the sequence:
//! 4x | 2x | clean (1x) | latents to denoise.

use tch::Tensor;

use super::{
    config::{Config, PATCH},
    pad::pad_to_multiple,
    rope::Rope,
};
use crate::{
    nn::Conv3d,
    weights::{Weights, WeightsError},
};

/// How much coarser than [`PATCH`] clean frames are patched: the nearest, those at half and those at quarter resolution.
pub(super) const COARSENESS: [i64; 3] = [1, 2, 4];

/// Patch (t, y, x) that is so much coarser than [`PATCH`] along every axis.
pub(super) fn patch(coarseness: i64) -> [i64; 3] {
    PATCH.map(|size| size * coarseness)
}

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
    coarseness: i64,
}

impl PatchEmbed {
    fn load(w: &Weights<'_>, config: &Config, coarseness: i64) -> Result<Self, WeightsError> {
        let kernel = patch(coarseness);
        let proj = Conv3d::load(w, config.in_channels, config.hidden_size(), kernel, kernel)?;
        Ok(Self {
            proj,
            kernel,
            coarseness,
        })
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
            let [near, half, quarter] = COARSENESS;
            Ok(CleanEmbeds {
                x1: PatchEmbed::load(&clean.pp("proj"), config, near)?,
                x2: PatchEmbed::load(&clean.pp("proj_2x"), config, half)?,
                x4: PatchEmbed::load(&clean.pp("proj_4x"), config, quarter)?,
            })
        };
        Ok(Self {
            latents: PatchEmbed::load(&w.pp("x_embedder").pp("proj"), config, 1)?,
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
            let pool = [embed.coarseness; 3];
            (tokens, Rope::new(&self.config, indices, grid, pool))
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
    use crate::{
        section::{SectionOrder, SectionPlan},
        transformer::cost::section_tokens,
        weights::Loading,
    };

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

    /// Tokens of a section with all its clean frames.
    fn packed([height, width]: [i64; 2], latent_window: u32) -> Packed {
        let section = &SectionPlan::new(SectionOrder::Forward, 1, latent_window).sections[0];
        let f32 = (Kind::Float, Device::Cpu);
        let frames = |indices: &[i64]| {
            let latents = Tensor::zeros([1, 1, indices.len() as i64, height, width], f32);
            (latents, Tensor::from_slice(indices).unsqueeze(0))
        };
        let (latents, latent_indices) = frames(&section.latent_indices);
        let context = Context {
            latent_indices,
            clean: Some(frames(&section.clean_latent_indices)),
            clean_2x: Some(frames(&section.clean_latent_2x_indices)),
            clean_4x: Some(frames(&section.clean_latent_4x_indices)),
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
            let packed = packed(size, 9);
            assert_eq!(packed.tokens.size(), [1, total, 6], "{size:?}");
            assert_eq!(packed.latent_tokens, latent, "{size:?}");
        }
    }

    #[test]
    fn as_many_tokens_are_counted_as_packed() {
        // 2 to 9 patches a side: whole patches of every coarseness, and such that reach over the end.
        for size in [[4, 4], [6, 10], [8, 16], [10, 12], [14, 18]] {
            for window in [1, 2, 3, 4, 9, 17] {
                let counted = section_tokens(size.map(i64::unsigned_abs), window.into());
                let packed = packed(size, window).tokens.size()[1];
                assert_eq!(counted, packed.unsigned_abs(), "{size:?}, {window}");
            }
        }
    }
}
