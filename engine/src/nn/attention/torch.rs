//! Attention by the kernel that torch picks.

use tch::Tensor;

use super::math;
use crate::device;

/// `softmax(q kᵀ / √D) v` over (B, H, L, D); strided views are fine.
///
/// `mask`, broadcast to (B, H, Lq, Lk): a boolean one is true where attention is allowed, a float one is added.
/// torch picks the kernel (on CUDA: cuDNN or flash in half precision without a mask).
/// Where that is math, for want of a fused one, many tokens are computed in chunks.
pub fn attention(q: &Tensor, k: &Tensor, v: &Tensor, mask: Option<&Tensor>) -> Tensor {
    if mask.is_none()
        && math::has_chunks(q, k)
        && chooses_math(q, k, v)
        && let Some(attended) = math::attention(q, k, v)
    {
        return attended;
    }
    device::by_torchs_choice(|| {
        Tensor::scaled_dot_product_attention(q, k, v, mask, 0.0, false, None, false)
    })
}

/// Whether torch would compute [`attention`] of these by math, with memory for all pairs of tokens.
pub(super) fn chooses_math(q: &Tensor, k: &Tensor, v: &Tensor) -> bool {
    const MATH: i64 = 0; // of at::SDPBackend
    choice(q, k, v) == MATH
}

/// Whether torch would compute it by cuDNN.
pub(super) fn chooses_cudnn(q: &Tensor, k: &Tensor, v: &Tensor) -> bool {
    const CUDNN: i64 = 3; // of at::SDPBackend
    choice(q, k, v) == CUDNN
}

fn choice(q: &Tensor, k: &Tensor, v: &Tensor) -> i64 {
    device::by_torchs_choice(|| {
        let mask = None::<Tensor>;
        Tensor::internal_fused_sdp_choice(q, k, v, mask, 0.0, false, None, false)
    })
}

/// Like [`attention`], but position i sees only positions 0..=i. `k` and `v` may have fewer heads than `q`;
/// each then serves a group of adjacent heads (grouped-query attention, arXiv:2305.13245).
pub fn causal_attention(q: &Tensor, k: &Tensor, v: &Tensor) -> Tensor {
    let is_grouped = q.size()[1] != k.size()[1];
    device::by_torchs_choice(|| {
        Tensor::scaled_dot_product_attention(q, k, v, None::<Tensor>, 0.0, true, None, is_grouped)
    })
}
