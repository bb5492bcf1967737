//! Scaled dot-product attention.

use tch::Tensor;

/// `softmax(q kᵀ / √D) v` over (B, H, L, D); strided views are fine.
///
/// `mask`, broadcast to (B, H, Lq, Lk): a boolean one is true where attention is allowed, a float one is added.
/// torch picks the kernel (on CUDA: cuDNN or flash in half precision without a mask).
pub fn attention(q: &Tensor, k: &Tensor, v: &Tensor, mask: Option<&Tensor>) -> Tensor {
    Tensor::scaled_dot_product_attention(q, k, v, mask, 0.0, false, None, false)
}
