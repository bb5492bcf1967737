//! The whole model: loading, what is evaluated before the first step, and one evaluation.

use std::{rc::Rc, slice};

use tch::{Kind, Tensor};

use super::{
    arithmetic::Arithmetic,
    block::{Block, DoubleBlock, SingleBlock},
    cache::{Pass, StepCache},
    conditioner::{
        self, Conditioner, Conditioning, OUT_VECTORS, StepConditioning, StepInputs, Unmodulated,
    },
    config::{Config, PATCH},
    context::{Context, ContextPacking, PackedContext},
    cost::{Run, TransformerCost, WeightBytes},
    modulation::{Modulation, vectors},
    profile::Profile,
    streams::Streams,
};
use crate::{
    kernels::Kernels,
    nn::{Linear, attention::Backend},
    offload::{DynamicSwap, Memory},
    weights::{Layout, ModelSource, Weights, WeightsError},
};

/// One evaluation of the model.
#[derive(Debug, Clone, Copy)]
pub struct TransformerInputs<'a> {
    /// Noisy latents, (1, C, T, H, W), H and W even.
    pub hidden_states: &'a Tensor,
    /// Timestep, guidance, text and image, as [`PackedTransformer::modulate`] gives them.
    pub conditioning: &'a StepConditioning,
    /// The frames around the section, as [`PackedTransformer::pack`] gives them.
    pub context: &'a PackedContext,
    /// What computes the blocks' attention.
    pub attention: Backend,
    /// Who measures it, if anybody does.
    pub profile: Option<&'a Profile>,
}

/// The transformer.
#[derive(Debug)]
pub struct PackedTransformer {
    conditioner: DynamicSwap<Conditioner>,
    modulations: DynamicSwap<Modulation>,
    packing: ContextPacking,
    blocks: DynamicSwap<Block>,
    proj_out: Linear,
    /// Those that the blocks are computed by; `None`: torch's operations in the reference's order.
    kernels: Option<Rc<Kernels>>,
    config: Config,
    kind: Kind,
}

impl PackedTransformer {
    /// Opens the component `source`. Blocks are read when they are first needed.
    pub fn open(source: &ModelSource, memory: &Memory, kind: Kind) -> Result<Self, WeightsError> {
        let config = Config::read(source.config_dir())?;
        source.load(&Layout::DIFFUSERS, (memory.device(), kind), |w| {
            Self::load(w, &config, memory)
        })
    }

    /// Loads the model from the root of its component.
    pub fn load(w: &Weights<'_>, config: &Config, memory: &Memory) -> Result<Self, WeightsError> {
        let patch_features = config.out_channels * PATCH.iter().product::<i64>();
        let proj_out = Linear::load(&w.pp("proj_out"), config.hidden_size(), patch_features)?;
        Ok(Self {
            conditioner: load_conditioner(w, config, memory)?,
            modulations: load_modulations(w, config, memory)?,
            packing: ContextPacking::load(w, config)?,
            blocks: load_blocks(w, config, memory)?,
            // Upstream's `high_quality_fp32_output_for_inference`: weights of the model's type, used in f32.
            proj_out: proj_out.to_kind(Kind::Float),
            kernels: None,
            config: config.clone(),
            kind: w.kind(),
        })
    }

    /// The same model, computed by `kernels` of its device: in fewer passes over memory, and rounded less often.
    #[must_use]
    pub fn with_kernels(self, kernels: &Rc<Kernels>) -> Self {
        let kernels = Some(kernels.clone());
        Self { kernels, ..self }
    }

    /// The blocks, double-stream and then single-stream, without their modulation.
    pub fn blocks(&self) -> &DynamicSwap<impl Sized + use<>> {
        &self.blocks
    }

    /// What is evaluated first of all that does not see the latents: text, image and timestep.
    pub fn conditioner(&self) -> &DynamicSwap<impl Sized + use<>> {
        &self.conditioner
    }

    /// What is evaluated next: the blocks' modulation layers, in the order of the blocks.
    pub fn modulations(&self) -> &DynamicSwap<impl Sized + use<>> {
        &self.modulations
    }

    /// Evaluates what depends on timestep, guidance, text and image only, all but the modulation, for each of
    /// `step_inputs`.
    pub fn condition(
        &self,
        step_inputs: &[StepInputs<'_>],
        conditioning: &Conditioning,
    ) -> Vec<Unmodulated> {
        conditioner::condition(&self.conditioner, step_inputs, conditioning)
    }

    /// Evaluates the modulation, for each of `steps`.
    pub fn modulate(&self, steps: Vec<Unmodulated>) -> Vec<StepConditioning> {
        conditioner::modulate(&self.modulations, steps)
    }

    /// What a run takes.
    pub fn cost(&self, run: &Run) -> TransformerCost {
        let weights = WeightBytes {
            blocks: self.blocks.block_bytes(),
            fixed: self.packing.bytes() + self.proj_out.bytes(),
            conditioner: self.conditioner.block_bytes().iter().sum(),
            modulations: self.modulations.block_bytes(),
        };
        TransformerCost::new(&self.config, self.kind, weights, run)
    }

    /// What a section's forwards have in common: the frames around latents of `size`, (1, C, T, H, W) with even H and W.
    pub fn pack(&self, context: &Context, size: &[i64]) -> PackedContext {
        self.packing.context(context, [size[3], size[4]], self.kind)
    }

    /// Velocity `noise − x0` at the given noise level: (1, C, T, H, W) f32. The blocks are gone through as `cache` says.
    ///
    /// # Panics
    /// With torch's message, as all model code; and if there is more than one sample, since text is cropped to
    /// one sample's valid tokens instead of being masked.
    pub fn forward(&self, inputs: &TransformerInputs<'_>, cache: &mut StepCache) -> Tensor {
        let TransformerInputs {
            hidden_states,
            conditioning,
            context,
            attention,
            profile,
        } = *inputs;
        assert_eq!(
            hidden_states.size()[0],
            1,
            "the transformer takes one sample at a time"
        );

        let latents = self.packing.latents(&hidden_states.to_kind(self.kind));
        let latent_tokens = latents.size()[1];
        let image: Vec<&Tensor> = context.frames.iter().chain([&latents]).collect();
        let streams = Streams::of(&image, &conditioning.context);
        drop(latents);
        let arithmetic = Arithmetic {
            kernels: self.kernels.as_deref(),
            profile,
        };
        let pass = Pass {
            blocks: &self.blocks,
            conditioning,
            rope: &context.rope,
            attention,
            arithmetic,
            latent_tokens,
        };
        let image = cache.run(&pass, streams);

        let image_len = image.size()[1];
        let x = image.narrow(1, image_len - latent_tokens, latent_tokens);
        let [scale, shift] = vectors::<OUT_VECTORS>(&conditioning.out);
        let x = arithmetic.modulated_norm(&x, [&shift, &scale]);
        unpatchify(
            &self.proj_out.forward(&x.to_kind(Kind::Float)),
            &hidden_states.size(),
        )
    }
}

fn load_conditioner(
    w: &Weights<'_>,
    config: &Config,
    memory: &Memory,
) -> Result<DynamicSwap<Conditioner>, WeightsError> {
    let config = config.clone();
    DynamicSwap::load(memory, slice::from_ref(w), move |_, w| {
        Conditioner::load(w, &config)
    })
}

fn load_modulations(
    w: &Weights<'_>,
    config: &Config,
    memory: &Memory,
) -> Result<DynamicSwap<Modulation>, WeightsError> {
    let (places, config) = (block_places(w, config), config.clone());
    DynamicSwap::load(memory, &places, move |number, w| {
        if number < config.num_layers {
            Modulation::load_double(w, &config)
        } else {
            Modulation::load_single(w, &config)
        }
    })
}

fn load_blocks(
    w: &Weights<'_>,
    config: &Config,
    memory: &Memory,
) -> Result<DynamicSwap<Block>, WeightsError> {
    let (places, config) = (block_places(w, config), config.clone());
    DynamicSwap::load(memory, &places, move |number, w| {
        if number < config.num_layers {
            Ok(Block::Double(Box::new(DoubleBlock::load(w, &config)?)))
        } else {
            Ok(Block::Single(SingleBlock::load(w, &config)?))
        }
    })
}

/// The double-stream blocks, then the single-stream ones.
fn block_places<'a>(w: &Weights<'a>, config: &Config) -> Vec<Weights<'a>> {
    let double = w.pp("transformer_blocks");
    let single = w.pp("single_transformer_blocks");
    let double = (0..config.num_layers).map(|i| double.pp(i));
    let single = (0..config.num_single_layers).map(|i| single.pp(i));
    double.chain(single).collect()
}

/// (1, T·H/2·W/2, C·2·2) → (1, C, T, H, W), where `size` is that of the latents. A patch is one frame.
fn unpatchify(x: &Tensor, size: &[i64]) -> Tensor {
    let [_, ph, pw] = PATCH;
    let [t, h, w] = [size[2], size[3] / ph, size[4] / pw];
    let x = x.unflatten(1, [t, h, w]).unflatten(-1, [-1, ph, pw]); // (b, t, h, w, c, ph, pw)
    let x = x.permute([0, 4, 1, 2, 5, 3, 6]); // (b, c, t, h, ph, w, pw)
    x.reshape([1, -1, t, ph * h, pw * w])
}
