//! Hoisting: what a schedule needs of the conditioning is evaluated before its first step, in the slots' memory.
//!
//! The model evaluates it in two parts and knows nothing of where they are; the order in which their weights come to
//! the device and leave it is here. The plan counts on it: the blocks' slots are not there meanwhile.

use std::rc::Rc;

use framepack_jobs::Guidance;
use sha2::{Digest, Sha256};
use tch::{Device, Tensor};

use crate::{
    device,
    offload::Residency,
    plan::HOIST_SLOTS,
    sampler::{Guided, HoistedSteps, Sampled, ScheduleConditioning, steps_of},
    transformer::{Conditioning, PackedTransformer, StepConditioning, Unmodulated},
};

/// Evaluates what `condition` asks of the conditioner, and its modulation. Weights pass through the device and leave it.
pub fn hoist(
    transformer: &PackedTransformer,
    condition: impl FnOnce() -> Vec<Unmodulated>,
) -> Vec<StepConditioning> {
    let (conditioner, modulations) = (transformer.conditioner(), transformer.modulations());
    transformer.blocks().release_slots();
    conditioner.place(Residency::once(conditioner.len(), 1));
    modulations.place(Residency::once(modulations.len(), HOIST_SLOTS));
    let steps = condition();
    // Before the other part comes, so that the two need not fit together.
    conditioner.evict_all();
    let steps = transformer.modulate(steps);
    modulations.evict_all();
    // Blocks are of other sizes: what hoisting used is of no use to them in torch's cache.
    device::empty_cache();
    steps
}

/// Hoists all steps of a schedule.
pub fn hoist_schedule(
    model: &Sampled<'_>,
    sigmas: &[f32],
    conditioning: Guided<&Conditioning>,
) -> HoistedSteps {
    let mut steps = hoist(model.transformer, || {
        let branches = conditioning.map(|branch| model.condition(steps_of(sigmas), branch));
        let negative = branches.negative.into_iter().flatten();
        branches.positive.into_iter().chain(negative).collect()
    });
    let negative = steps.split_off(steps_of(sigmas).len());
    let branches = Guided {
        positive: steps,
        negative: conditioning.negative.map(|_| negative),
    };
    HoistedSteps::new(sigmas, branches)
}

/// What one transformer's hoisted steps depend on, as a digest of the very numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ScheduleKey([u8; 32]);

/// The last schedule's steps, kept for the next job that asks for the same. They belong to one transformer: whoever
/// drops it drops them.
#[derive(Debug, Default)]
pub(super) struct HoistedCache {
    last: Option<(ScheduleKey, Rc<ScheduleConditioning<'static>>)>,
}

impl HoistedCache {
    /// All steps of a schedule: the kept ones, if everything that they depend on is the same.
    pub(super) fn schedule(
        &mut self,
        model: &Sampled<'_>,
        sigmas: &[f32],
        conditioning: Guided<&Conditioning>,
    ) -> Rc<ScheduleConditioning<'static>> {
        let key = ScheduleKey::of(&model.guidance, sigmas, conditioning);
        if let Some((known, schedule)) = &self.last
            && *known == key
        {
            return schedule.clone();
        }
        // The old ones make room first.
        self.last = None;
        let steps = hoist_schedule(model, sigmas, conditioning);
        let schedule = Rc::new(ScheduleConditioning::Hoisted(steps));
        self.last = Some((key, schedule.clone()));
        schedule
    }
}

impl ScheduleKey {
    fn of(guidance: &Guidance, sigmas: &[f32], conditioning: Guided<&Conditioning>) -> Self {
        let mut hash = Sha256::new();
        hash.update(guidance.distilled.to_le_bytes());
        for sigma in sigmas {
            hash.update(sigma.to_le_bytes());
        }
        for branch in [Some(conditioning.positive), conditioning.negative] {
            hash.update([u8::from(branch.is_some())]);
            if let Some(branch) = branch {
                hash_conditioning(&mut hash, branch);
            }
        }
        Self(hash.finalize().into())
    }
}

fn hash_conditioning(hash: &mut Sha256, conditioning: &Conditioning) {
    let Conditioning {
        encoder_hidden_states,
        encoder_attention_mask,
        pooled_projections,
        image_embeddings,
    } = conditioning;
    let tensors = [
        Some(encoder_hidden_states),
        encoder_attention_mask.as_ref(),
        Some(pooled_projections),
        image_embeddings.as_ref(),
    ];
    for tensor in tensors {
        hash.update([u8::from(tensor.is_some())]);
        if let Some(tensor) = tensor {
            hash_tensor(hash, tensor);
        }
    }
}

fn hash_tensor(hash: &mut Sha256, tensor: &Tensor) {
    hash.update(format!("{:?}{:?}", tensor.kind(), tensor.size()));
    let tensor = tensor.to_device(Device::Cpu).contiguous();
    let mut bytes = vec![0; tensor.numel() * tensor.kind().elt_size_in_bytes()];
    tensor.copy_data_u8(&mut bytes, tensor.numel());
    hash.update(&bytes);
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;

    fn conditioning(value: f64) -> Conditioning {
        let states = Tensor::full([1, 2, 3], value, (Kind::BFloat16, Device::Cpu));
        Conditioning {
            pooled_projections: states.shallow_clone(),
            encoder_hidden_states: states,
            encoder_attention_mask: None,
            image_embeddings: None,
        }
    }

    #[test]
    fn everything_that_the_steps_depend_on_is_in_the_key() {
        let [one, other] = [1.0, 2.0].map(conditioning);
        let guidance = Guidance::default();
        let branches = |positive, negative| Guided { positive, negative };
        let key = |guidance: &Guidance, sigmas: &[f32], branches| {
            ScheduleKey::of(guidance, sigmas, branches)
        };
        let base = key(&guidance, &[1.0, 0.5, 0.0], branches(&one, None));
        assert_eq!(base, key(&guidance, &[1.0, 0.5, 0.0], branches(&one, None)));

        let stronger = Guidance {
            distilled: guidance.distilled + 1.0,
            ..guidance
        };
        for changed in [
            key(&stronger, &[1.0, 0.5, 0.0], branches(&one, None)),
            key(&guidance, &[1.0, 0.25, 0.0], branches(&one, None)),
            key(&guidance, &[1.0, 0.0], branches(&one, None)),
            key(&guidance, &[1.0, 0.5, 0.0], branches(&other, None)),
            key(&guidance, &[1.0, 0.5, 0.0], branches(&one, Some(&one))),
        ] {
            assert_ne!(base, changed);
        }
    }
}
