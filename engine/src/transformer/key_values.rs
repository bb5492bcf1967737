//! How a block attends: with which backend, at which positions, and to which keys and values of other steps.
//!
//! The latents attend to tokens that do not depend on them at the model's entry: text, image, and the frames around the
//! section. Their keys and values change little from step to step, so that a step cache may keep them
//! ([`kv`](super::cache)).

use tch::Tensor;

use super::{arithmetic::Arithmetic, rope::Rope};
use crate::nn::attention::Backend;

/// Keys and values of a block's conditioning tokens, after norm and rotation, (B, C + N, heads, `head_dim`) each.
#[derive(Debug)]
pub(super) struct KeyValues {
    keys: Tensor,
    values: Tensor,
}

/// What a block's attention takes from another step, or leaves for one.
pub(super) enum Kept<'a> {
    /// Nothing.
    Nothing,
    /// Leaves those of all tokens but the latents', which are the last so many of the image stream's so many.
    Leaves {
        /// Latents among the image tokens.
        latent_tokens: i64,
        /// Image tokens, which come before the text's.
        image_tokens: i64,
        /// Where they are left.
        place: &'a mut Option<KeyValues>,
    },
    /// Attends to these, too: only the latents' tokens are computed.
    Takes(&'a KeyValues),
}

/// How a block attends.
pub(super) struct Attending<'a> {
    /// Positions of the image tokens.
    pub(super) rope: &'a Rope,
    pub(super) backend: Backend,
    pub(super) arithmetic: Arithmetic<'a>,
    pub(super) kept: Kept<'a>,
}

impl Attending<'_> {
    /// Attention over (B, L, heads, `head_dim`) → (B, L, D)
    pub(super) fn attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor {
        let [k, v] = match self.kept {
            Kept::Nothing => [k, v],
            Kept::Leaves {
                latent_tokens,
                image_tokens,
                place,
            } => {
                let others = |x: &Tensor| without_latents(x, latent_tokens, image_tokens);
                *place = Some(KeyValues {
                    keys: others(&k),
                    values: others(&v),
                });
                [k, v]
            }
            Kept::Takes(kept) => [
                Tensor::cat(&[&k, &kept.keys], 1),
                Tensor::cat(&[&v, &kept.values], 1),
            ],
        };
        let [q, k, v] = [q, k, v].map(|x| x.transpose(1, 2)); // (B, heads, L, head_dim), views
        let attended = self.arithmetic.attention(self.backend, [&q, &k, &v]);
        attended.transpose(1, 2).flatten(2, 3)
    }
}

/// (B, C + T + N, …) → (B, C + N, …), copied: what is kept keeps nothing else alive.
fn without_latents(x: &Tensor, latent_tokens: i64, image_tokens: i64) -> Tensor {
    let before = x.narrow(1, 0, image_tokens - latent_tokens);
    let behind = x.narrow(1, image_tokens, x.size()[1] - image_tokens);
    Tensor::cat(&[before, behind], 1)
}
