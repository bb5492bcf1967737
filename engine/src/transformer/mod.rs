//! The packed HunyuanVideo transformer of FramePack: velocity of the latents at one noise level.
//!
//! FramePack: arXiv:2504.12626; the backbone: arXiv:2412.03603. Upstream classes:
//! `HunyuanVideoTransformer3DModelPacked` (FramePack) and `HunyuanVideoFramepackTransformer3DModel`
//! (diffusers), whose files this module reads. Rounding points in half precision are upstream's: rotary
//! tables and RMS statistics in f32, modulation in the model's type, the output head in f32.

mod arithmetic;
mod block;
mod cache;
mod conditioner;
mod config;
mod context;
mod cost;
mod embed;
mod feed_forward;
mod key_values;
mod model;
mod modulation;
mod pad;
mod profile;
mod refiner;
mod rope;
mod streams;

pub use self::{
    cache::{
        CachedSection, Limits as StepCacheLimits, MagTable, ScheduleSteps, StepCache,
        StepCacheRule, StepCacheWishes, StepRecord,
    },
    conditioner::{Conditioning, StepConditioning, StepInputs, Unmodulated},
    config::Config,
    context::{Context, PackedContext},
    cost::{Run, TransformerCost, latent_tokens, section_tokens},
    model::{PackedTransformer, TransformerInputs},
    profile::{Part, Profile},
};

#[cfg(test)]
pub(crate) use self::cost::Sequence;
