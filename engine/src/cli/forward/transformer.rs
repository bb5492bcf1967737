//! `forward transformer`: the arguments of FramePack's `HunyuanVideoTransformer3DModelPacked.forward`.

use framepack_engine::{
    transformer::{Conditioning, Context, PackedTransformer, TransformerInputs},
    weights::ModelSource,
};
use tch::Tensor;

use crate::cli::tensors::{Inputs, Outputs};

pub(super) fn forward(model: &ModelSource, inputs: &Inputs) -> anyhow::Result<Outputs> {
    let arguments = Arguments::read(inputs)?;
    let model = PackedTransformer::open(model, inputs.device(), inputs.kind())?;
    Ok(vec![("sample", model.forward(&arguments.as_inputs()))])
}

/// All arguments of one forward.
#[derive(Debug)]
pub(in crate::cli) struct Arguments {
    pub(in crate::cli) hidden_states: Tensor,
    pub(in crate::cli) timestep: Tensor,
    pub(in crate::cli) guidance: Option<Tensor>,
    pub(in crate::cli) conditioning: Conditioning,
    pub(in crate::cli) context: Context,
}

impl Arguments {
    pub(in crate::cli) fn read(inputs: &Inputs) -> anyhow::Result<Self> {
        let arguments = Self {
            hidden_states: inputs.float("hidden_states")?,
            timestep: inputs.exact("timestep")?,
            guidance: inputs.exact_or_none("guidance")?,
            conditioning: conditioning(inputs)?,
            context: context(inputs)?,
        };
        inputs.finish()?;
        Ok(arguments)
    }

    pub(in crate::cli) fn as_inputs(&self) -> TransformerInputs<'_> {
        TransformerInputs {
            hidden_states: &self.hidden_states,
            timestep: &self.timestep,
            guidance: self.guidance.as_ref(),
            conditioning: &self.conditioning,
            context: &self.context,
        }
    }
}

/// Text and image arguments.
pub(super) fn conditioning(inputs: &Inputs) -> anyhow::Result<Conditioning> {
    Ok(Conditioning {
        encoder_hidden_states: inputs.float("encoder_hidden_states")?,
        encoder_attention_mask: inputs.mask_or_none("encoder_attention_mask"),
        pooled_projections: inputs.float("pooled_projections")?,
        image_embeddings: inputs.float_or_none("image_embeddings")?,
    })
}

/// Arguments about the frames around the section; a group counts when both its tensors are there.
pub(super) fn context(inputs: &Inputs) -> anyhow::Result<Context> {
    let group = |latents: &str, indices: &str| -> anyhow::Result<Option<(Tensor, Tensor)>> {
        let latents = inputs.float_or_none(latents)?;
        Ok(latents.zip(inputs.indices_or_none(indices)?))
    };
    Ok(Context {
        latent_indices: inputs.indices("latent_indices")?,
        clean: group("clean_latents", "clean_latent_indices")?,
        clean_2x: group("clean_latents_2x", "clean_latent_2x_indices")?,
        clean_4x: group("clean_latents_4x", "clean_latent_4x_indices")?,
    })
}
