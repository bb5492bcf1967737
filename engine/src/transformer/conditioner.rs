//! Everything of the model that depends on timestep, guidance, prompt and image only, and not on the latents.
//!
//! That is 30 % of the weights. It can be *hoisted*: evaluated for all steps of a schedule before the first of
//! them. It is evaluated in two parts, each of which yields what the next one takes, so that the weights of one part
//! need not be there for the other. The calls are the same for one step and for all, one row at a time, so that
//! results are too, bit for bit.

use tch::{Kind, Tensor};

use super::{
    config::Config,
    embed::{ImageProjection, TimeTextEmbedding},
    modulation::{Modulation, ModulationVectors},
    refiner::TokenRefiner,
};
use crate::{
    nn::Linear,
    offload::DynamicSwap,
    weights::{Weights, WeightsError},
};

/// Vectors for the output head: scale and shift.
pub(super) const OUT_VECTORS: usize = 2;

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

/// The part of it that is not about one block.
#[derive(Debug)]
pub(super) struct Conditioner {
    context_embedder: TokenRefiner,
    image_projection: Option<ImageProjection>,
    time_text_embed: TimeTextEmbedding,
    norm_out: Linear,
}

/// Scalar inputs of a step: where in the schedule it is, and how strong its guidance.
#[derive(Debug, Clone, Copy)]
pub struct StepInputs<'a> {
    /// (1), sigma × 1000. Used as stored: whoever wants upstream's bf16 rounding rounds it before.
    pub timestep: &'a Tensor,
    /// (1), distilled guidance scale × 1000. Used as stored.
    pub guidance: Option<&'a Tensor>,
}

/// What the conditioning comes to at one step, with its timestep and guidance: all that a forward needs of them.
#[derive(Debug)]
pub struct StepConditioning {
    /// Image tokens, then the valid text tokens: (1, N + n, D).
    pub(super) context: Tensor,
    /// For each block, in order.
    pub(super) modulation: Vec<ModulationVectors>,
    /// Scale and shift of the output head: (1, 2·D).
    pub(super) out: Tensor,
}

impl Conditioner {
    pub(super) fn load(w: &Weights<'_>, config: &Config) -> Result<Self, WeightsError> {
        let dim = config.hidden_size();
        let load_image =
            || ImageProjection::load(&w.pp("image_projection"), config.image_proj_dim, dim);
        let load_time_text = if config.guidance_embeds {
            TimeTextEmbedding::load_guided
        } else {
            TimeTextEmbedding::load
        };
        let time_text = w.pp("time_text_embed");
        Ok(Self {
            context_embedder: TokenRefiner::load(&w.pp("context_embedder"), config)?,
            image_projection: config.has_image_proj.then(load_image).transpose()?,
            time_text_embed: load_time_text(&time_text, config.pooled_projection_dim, dim)?,
            norm_out: Linear::load(
                &w.pp("norm_out").pp("linear"),
                dim,
                OUT_VECTORS as i64 * dim,
            )?,
        })
    }

    /// Image tokens, then the valid text tokens: (1, N + n, D).
    fn context_tokens(
        &self,
        timestep: &Tensor,
        conditioning: &Conditioning,
        image: Option<&Tensor>,
    ) -> Tensor {
        let mask = conditioning.encoder_attention_mask.as_ref();
        let text =
            self.context_embedder
                .forward(&conditioning.encoder_hidden_states, timestep, mask);
        let valid = mask.map_or(text.size()[1], |mask| {
            mask.sum(Kind::Int64).int64_value(&[])
        });
        let text = text.narrow(1, 0, valid);
        match image {
            Some(image) => Tensor::cat(&[image, &text], 1),
            None => text.contiguous(),
        }
    }
}

/// The conditioning of a step whose modulation is still to be evaluated, from the step's embedding.
#[derive(Debug)]
pub struct Unmodulated {
    step: StepConditioning,
    /// (1, D)
    temb: Tensor,
}

/// Evaluates everything but the modulation for each of `step_inputs`.
pub(super) fn condition(
    conditioner: &DynamicSwap<Conditioner>,
    step_inputs: &[StepInputs<'_>],
    conditioning: &Conditioning,
) -> Vec<Unmodulated> {
    let mut steps = Vec::with_capacity(step_inputs.len());
    conditioner.for_each(|_, conditioner| {
        let image = conditioner
            .image_projection
            .as_ref()
            .zip(conditioning.image_embeddings.as_ref())
            .map(|(projection, image)| projection.forward(image));
        for inputs in step_inputs {
            let StepInputs { timestep, guidance } = *inputs;
            let temb = conditioner.time_text_embed.forward(
                timestep,
                guidance,
                &conditioning.pooled_projections,
            );
            let step = StepConditioning {
                context: conditioner.context_tokens(timestep, conditioning, image.as_ref()),
                modulation: Vec::new(),
                out: conditioner.norm_out.forward(&temb.silu()),
            };
            steps.push(Unmodulated { step, temb });
        }
    });
    steps
}

/// Evaluates the modulation.
pub(super) fn modulate(
    modulations: &DynamicSwap<Modulation>,
    mut steps: Vec<Unmodulated>,
) -> Vec<StepConditioning> {
    modulations.for_each(|_, modulation| {
        for Unmodulated { step, temb } in &mut steps {
            step.modulation.push(modulation.forward(temb));
        }
    });
    steps
        .into_iter()
        .map(|unmodulated| unmodulated.step)
        .collect()
}
