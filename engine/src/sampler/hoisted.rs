//! The embeddings of one schedule, kept for the next job that asks for the same.

use std::rc::Rc;

use framepack_jobs::Guidance;
use sha2::{Digest, Sha256};
use tch::{Device, Tensor};

use super::denoiser::{Prompts, Sampled, ScheduleEmbeddings};
use crate::transformer::Conditioning;

/// What one transformer's embeddings depend on, as a digest of the very numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ScheduleKey([u8; 32]);

/// The embeddings of the last schedule. They belong to one transformer: whoever drops it drops them.
#[derive(Debug, Default)]
pub struct HoistedCache {
    last: Option<(ScheduleKey, Rc<ScheduleEmbeddings<'static>>)>,
}

impl HoistedCache {
    /// The embeddings of all steps of a schedule: the kept ones, if everything that they depend on is the same.
    pub fn embeddings(
        &mut self,
        model: &Sampled<'_>,
        sigmas: &[f32],
        prompts: Prompts<'_>,
    ) -> Rc<ScheduleEmbeddings<'static>> {
        let key = ScheduleKey::of(&model.guidance, sigmas, prompts);
        if let Some((known, embeddings)) = &self.last
            && *known == key
        {
            return embeddings.clone();
        }
        // The old ones make room first.
        self.last = None;
        let embeddings = Rc::new(model.hoisted(sigmas, prompts));
        self.last = Some((key, embeddings.clone()));
        embeddings
    }
}

impl ScheduleKey {
    fn of(guidance: &Guidance, sigmas: &[f32], prompts: Prompts<'_>) -> Self {
        let mut hash = Sha256::new();
        hash.update(guidance.distilled.to_le_bytes());
        for sigma in sigmas {
            hash.update(sigma.to_le_bytes());
        }
        for conditioning in [Some(prompts.positive), prompts.negative] {
            hash.update([u8::from(conditioning.is_some())]);
            if let Some(conditioning) = conditioning {
                hash_conditioning(&mut hash, conditioning);
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
    fn everything_that_the_embeddings_depend_on_is_in_the_key() {
        let [one, other] = [1.0, 2.0].map(conditioning);
        let guidance = Guidance::default();
        let prompts = |positive, negative| Prompts { positive, negative };
        let key = |guidance: &Guidance, sigmas: &[f32], prompts| {
            ScheduleKey::of(guidance, sigmas, prompts)
        };
        let base = key(&guidance, &[1.0, 0.5, 0.0], prompts(&one, None));
        assert_eq!(base, key(&guidance, &[1.0, 0.5, 0.0], prompts(&one, None)));

        let stronger = Guidance {
            distilled: guidance.distilled + 1.0,
            ..guidance
        };
        for changed in [
            key(&stronger, &[1.0, 0.5, 0.0], prompts(&one, None)),
            key(&guidance, &[1.0, 0.25, 0.0], prompts(&one, None)),
            key(&guidance, &[1.0, 0.0], prompts(&one, None)),
            key(&guidance, &[1.0, 0.5, 0.0], prompts(&other, None)),
            key(&guidance, &[1.0, 0.5, 0.0], prompts(&one, Some(&one))),
        ] {
            assert_ne!(base, changed);
        }
    }
}
