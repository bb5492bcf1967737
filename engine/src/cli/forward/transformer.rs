//! `forward transformer`: the arguments of FramePack's `HunyuanVideoTransformer3DModelPacked.forward`.

use framepack_engine::{
    KernelUse,
    models::hoist,
    nn::attention::{AttentionMemory, Backend},
    transformer::{
        Conditioning, Config, Context, PackedContext, PackedTransformer, Run, StepCache,
        StepCacheRule, StepConditioning, StepInputs, TransformerInputs, latent_tokens,
        section_tokens,
    },
    weights::ModelSource,
};
use tch::{Kind, Tensor};

use super::component::Common;
use crate::cli::{
    options::{Attention, ModelKernels},
    split::{Hoist, SplitOptions, Switch},
    tensors::{Inputs, Outputs},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    split: SplitOptions,
    #[command(flatten)]
    hoist: Hoist,
    #[command(flatten)]
    attention: Attention,
    #[command(flatten)]
    kernels: ModelKernels,
}

impl Args {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        self.common
            .run(Kind::BFloat16, |model, inputs| self.forward(model, inputs))
    }

    fn forward(&self, model: &ModelSource, inputs: &Inputs) -> anyhow::Result<Outputs> {
        let arguments = Arguments::read(inputs)?;
        let config = Config::read(model.config_dir())?;
        let class = config.attention_class(inputs.kind(), arguments.run().tokens);
        let attention = self.attention.resolve(inputs.device(), &class)?.backend;
        let memory = self.split.memory(inputs.device());
        let model = PackedTransformer::open(model, &memory, inputs.kind())?;
        let model = self.kernels.transformer(model, inputs.device());
        self.split.place(model.blocks())?;
        let sample = arguments.forward(&model, self.hoist.switch(), attention);
        Ok(vec![("sample", sample)])
    }
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

    /// One forward with these arguments.
    fn forward(&self, model: &PackedTransformer, hoisting: Switch, attention: Backend) -> Tensor {
        let step = self.condition(model, hoisting);
        let context = self.pack(model);
        let inputs = self.with((&step, &context), attention);
        model.forward(&inputs, &mut StepCache::default())
    }

    /// What is the same at every step of a section.
    pub(in crate::cli) fn pack(&self, model: &PackedTransformer) -> PackedContext {
        model.pack(&self.context, &self.hidden_states.size())
    }

    /// What depends on timestep, text and image only.
    pub(in crate::cli) fn condition(
        &self,
        model: &PackedTransformer,
        hoisting: Switch,
    ) -> StepConditioning {
        let step_inputs = StepInputs {
            timestep: &self.timestep,
            guidance: self.guidance.as_ref(),
        };
        let condition = || model.condition(&[step_inputs], &self.conditioning);
        let mut steps = match hoisting {
            Switch::On => hoist(model, condition),
            Switch::Off => model.modulate(condition()),
        };
        steps.remove(0)
    }

    /// What the forward asks of the memory.
    pub(in crate::cli) fn run(&self) -> Run {
        let size = self.hidden_states.size();
        let [window, height, width] = [size[2], size[3], size[4]].map(|n| n as u64);
        let tokens = |states: &Tensor| states.size()[1] as u64;
        let image_tokens = self
            .conditioning
            .image_embeddings
            .as_ref()
            .map_or(0, tokens);
        let text_tokens = match &self.conditioning.encoder_attention_mask {
            Some(mask) => mask.sum(Kind::Int64).int64_value(&[]) as u64,
            None => tokens(&self.conditioning.encoder_hidden_states),
        };
        let context_tokens = image_tokens + text_tokens;
        Run {
            tokens: section_tokens([height, width], window) + context_tokens,
            context_tokens,
            padded_text_tokens: tokens(&self.conditioning.encoder_hidden_states),
            latent_tokens: latent_tokens([height, width], window),
            branches: 1,
            steps: 1,
            step_cache: StepCacheRule::Off,
            attention: AttentionMemory::Fused,
            kernels: KernelUse::default(),
        }
    }

    /// The other arguments beside the conditioning.
    pub(in crate::cli) fn with<'a>(
        &'a self,
        (conditioning, context): (&'a StepConditioning, &'a PackedContext),
        attention: Backend,
    ) -> TransformerInputs<'a> {
        TransformerInputs {
            hidden_states: &self.hidden_states,
            conditioning,
            context,
            attention,
            profile: None,
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
