//! The packed HunyuanVideo transformer of FramePack: velocity of the latents at one noise level.
//!
//! FramePack: arXiv:2504.12626; the backbone: arXiv:2412.03603. Upstream classes:
//! `HunyuanVideoTransformer3DModelPacked` (FramePack) and `HunyuanVideoFramepackTransformer3DModel`
//! (diffusers), whose checkpoints this module reads. Rounding points in half precision are upstream's: rotary
//! tables and RMS statistics in f32, modulation in the model's type, the output head in f32.

mod block;
mod config;
mod context;
mod embed;
mod refiner;
mod rope;

use tch::{Device, Kind, Tensor};

use self::{
    block::{Block, DoubleBlock, SingleBlock, Streams, modulate},
    context::{ContextPacking, Packed},
    embed::{ImageProjection, TimeTextEmbedding},
    refiner::TokenRefiner,
};
pub use self::{config::Config, context::Context};
use crate::{
    nn::Linear,
    weights::{Layout, ModelSource, Weights, WeightsError},
};

/// What the model is conditioned on; constant over the steps of a section. Float tensors are in the model's
/// type.
#[derive(Debug)]
pub struct Conditioning {
    /// Llama states, (1, L, `text_embed_dim`), padded at the end.
    pub encoder_hidden_states: Tensor,
    /// (1, L) bool, true = valid, valid tokens first; `None` = all valid.
    pub encoder_attention_mask: Option<Tensor>,
    /// CLIP's pooled text, (1, `pooled_projection_dim`).
    pub pooled_projections: Tensor,
    /// SigLIP states, (1, N, `image_proj_dim`).
    pub image_embeddings: Option<Tensor>,
}

/// One evaluation of the model.
#[derive(Debug, Clone, Copy)]
pub struct TransformerInputs<'a> {
    /// Noisy latents, (1, C, T, H, W), H and W even.
    pub hidden_states: &'a Tensor,
    /// (1), sigma × 1000. Used as stored: whoever wants upstream's bf16 rounding rounds it before.
    pub timestep: &'a Tensor,
    /// (1), distilled guidance scale × 1000. Used as stored.
    pub guidance: Option<&'a Tensor>,
    /// Text and image.
    pub conditioning: &'a Conditioning,
    /// The frames around the section.
    pub context: &'a Context,
}

/// The transformer.
#[derive(Debug)]
pub struct PackedTransformer {
    packing: ContextPacking,
    context_embedder: TokenRefiner,
    image_projection: Option<ImageProjection>,
    time_text_embed: TimeTextEmbedding,
    blocks: Vec<Block>,
    norm_out: Linear,
    proj_out: Linear,
    kind: Kind,
}

impl PackedTransformer {
    /// Opens and loads the component `source` with all its weights.
    pub fn open(source: &ModelSource, device: Device, kind: Kind) -> Result<Self, WeightsError> {
        let config = Config::read(source.config_dir())?;
        source.load(&Layout::DIFFUSERS, (device, kind), |w| {
            Self::load(w, &config)
        })
    }

    /// Loads the model from the root of its component.
    pub fn load(w: &Weights<'_>, config: &Config) -> Result<Self, WeightsError> {
        let dim = config.hidden_size();
        let load_image =
            || ImageProjection::load(&w.pp("image_projection"), config.image_proj_dim, dim);
        let load_time_text = if config.guidance_embeds {
            TimeTextEmbedding::load_guided
        } else {
            TimeTextEmbedding::load
        };
        let patch_features = config.out_channels * 2 * 2;
        Ok(Self {
            packing: ContextPacking::load(w, config)?,
            context_embedder: TokenRefiner::load(&w.pp("context_embedder"), config)?,
            image_projection: config.has_image_proj.then(load_image).transpose()?,
            time_text_embed: load_time_text(
                &w.pp("time_text_embed"),
                config.pooled_projection_dim,
                dim,
            )?,
            blocks: load_blocks(w, config)?,
            norm_out: Linear::load(&w.pp("norm_out").pp("linear"), dim, 2 * dim)?,
            // Upstream's `high_quality_fp32_output_for_inference`: weights of the model's type, used in f32.
            proj_out: Linear::load(&w.pp("proj_out"), dim, patch_features)?.to_kind(Kind::Float),
            kind: w.kind(),
        })
    }

    /// Velocity `noise − x0` at the given noise level: (1, C, T, H, W) f32.
    ///
    /// # Panics
    /// With torch's message, as all model code; and if there is more than one sample, since text is cropped to
    /// one sample's valid tokens instead of being masked.
    pub fn forward(&self, inputs: &TransformerInputs<'_>) -> Tensor {
        let TransformerInputs {
            hidden_states,
            timestep,
            guidance,
            conditioning,
            context,
        } = *inputs;
        assert_eq!(
            hidden_states.size()[0],
            1,
            "the transformer takes one sample at a time"
        );

        let latents = hidden_states.to_kind(self.kind);
        let Packed {
            tokens,
            rope,
            latent_tokens,
        } = self.packing.forward(&latents, context);
        let temb =
            self.time_text_embed
                .forward(timestep, guidance, &conditioning.pooled_projections);
        let text = self.context_tokens(timestep, conditioning);

        let mut streams = Streams {
            image: tokens,
            text,
        };
        for block in &self.blocks {
            streams = block.forward(streams, &temb, &rope);
        }

        let image_len = streams.image.size()[1];
        let x = streams
            .image
            .narrow(1, image_len - latent_tokens, latent_tokens);
        let scale_shift = self
            .norm_out
            .forward(&temb.silu())
            .unsqueeze(1)
            .chunk(2, -1); // scale comes first
        let x = modulate(&x, &scale_shift[1], &scale_shift[0]);
        unpatchify(
            &self.proj_out.forward(&x.to_kind(Kind::Float)),
            &hidden_states.size(),
        )
    }

    /// Image tokens, then the valid text tokens: (1, N + n, D).
    fn context_tokens(&self, timestep: &Tensor, conditioning: &Conditioning) -> Tensor {
        let mask = conditioning.encoder_attention_mask.as_ref();
        let text =
            self.context_embedder
                .forward(&conditioning.encoder_hidden_states, timestep, mask);
        let valid = mask.map_or(text.size()[1], |mask| {
            mask.sum(Kind::Int64).int64_value(&[])
        });
        let text = text.narrow(1, 0, valid);
        match self
            .image_projection
            .as_ref()
            .zip(conditioning.image_embeddings.as_ref())
        {
            Some((projection, image)) => Tensor::cat(&[projection.forward(image), text], 1),
            None => text,
        }
    }
}

/// The double-stream blocks, then the single-stream ones.
fn load_blocks(w: &Weights<'_>, config: &Config) -> Result<Vec<Block>, WeightsError> {
    let double = w.pp("transformer_blocks");
    let single = w.pp("single_transformer_blocks");
    let double = (0..config.num_layers).map(|i| {
        Ok(Block::Double(Box::new(DoubleBlock::load(
            &double.pp(i),
            config,
        )?)))
    });
    let single = (0..config.num_single_layers)
        .map(|i| Ok(Block::Single(SingleBlock::load(&single.pp(i), config)?)));
    double.chain(single).collect()
}

/// (1, T·H/2·W/2, C·2·2) → (1, C, T, H, W), where `size` is that of the latents.
fn unpatchify(x: &Tensor, size: &[i64]) -> Tensor {
    let [t, h, w] = [size[2], size[3] / 2, size[4] / 2];
    let x = x.unflatten(1, [t, h, w]).unflatten(-1, [-1, 2, 2]); // (b, t, h, w, c, ph, pw)
    let x = x.permute([0, 4, 1, 2, 5, 3, 6]); // (b, c, t, h, ph, w, pw)
    x.reshape([1, -1, t, 2 * h, 2 * w])
}
