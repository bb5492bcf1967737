//! Context packing: the latents to denoise and the clean latents around them as one sequence of tokens.
//!
//! FramePack's idea (arXiv:2504.12626): frames far from the section are patched with larger kernels, so that
//! the context costs a fixed number of tokens whatever the video's length. Order of the sequence:
//! 4x | 2x | clean (1x) | latents to denoise.

use tch::{Kind, Tensor};

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

/// What of the sequence is the same at every step of a section.
#[derive(Debug)]
pub struct PackedContext {
    /// Tokens of the frames around the section, (1, n, D) for each group, the coarsest first.
    pub(super) frames: Vec<Tensor>,
    /// Positions of those tokens and of the latents'.
    pub(super) rope: Rope,
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

    /// The context of latents of `[height, width]`, both even, in the type of the model.
    pub(super) fn context(
        &self,
        context: &Context,
        [height, width]: [i64; 2],
        kind: Kind,
    ) -> PackedContext {
        let grid = [height / PATCH[1], width / PATCH[2]];
        let rope = |embed: &PatchEmbed, indices: &Tensor| {
            Rope::new(&self.config, indices, grid, [embed.coarseness; 3])
        };
        let (mut frames, mut ropes) = (Vec::with_capacity(3), Vec::with_capacity(4));
        if let Some(clean) = &self.clean {
            let members = [
                (&clean.x4, &context.clean_4x),
                (&clean.x2, &context.clean_2x),
                (&clean.x1, &context.clean),
            ];
            for (embed, group) in members {
                if let Some((latents, indices)) = group {
                    frames.push(embed.forward(&latents.to_kind(kind)));
                    ropes.push(rope(embed, indices));
                }
            }
        }
        ropes.push(rope(&self.latents, &context.latent_indices));
        PackedContext {
            frames,
            rope: Rope::cat(&ropes),
        }
    }

    /// Tokens of the latents that are denoised: (1, C, T, H, W) with even H and W → (1, n, D).
    pub(super) fn latents(&self, latents: &Tensor) -> Tensor {
        self.latents.forward(latents)
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

    /// Tokens of a section with all its clean frames, and those of its latents.
    fn tokens([height, width]: [i64; 2], latent_window: u32) -> [i64; 2] {
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
        let packed = packing.context(&context, [height, width], Kind::Float);
        let latents = packing.latents(&latents).size()[1];
        let frames = packed.frames.iter().map(|tokens| tokens.size()[1]);
        let total = frames.sum::<i64>() + latents;
        assert_eq!(packed.rope.tables()[0].size(), [1, total, 1, 6]);
        [total, latents]
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
            assert_eq!(tokens(size, 9), [total, latent], "{size:?}");
        }
    }

    #[test]
    fn as_many_tokens_are_counted_as_packed() {
        // 2 to 9 patches a side: whole patches of every coarseness, and such that reach over the end.
        for size in [[4, 4], [6, 10], [8, 16], [10, 12], [14, 18]] {
            for window in [1, 2, 3, 4, 9, 17] {
                let counted = section_tokens(size.map(i64::unsigned_abs), window.into());
                let [packed, _] = tokens(size, window);
                assert_eq!(counted, packed.unsigned_abs(), "{size:?}, {window}");
            }
        }
    }
}
