//! Rotary position embedding (arXiv:2104.09864) of adjacent channels.

use tch::Tensor;

/// Rotates pairs of adjacent channels of `x`, (B, L, heads, D), by angles whose cosines and sines are given, both f32
/// and (1, L, 1, D). In f32, back in the type of `x`.
pub(crate) fn rotate_pairs(x: &Tensor, cos: &Tensor, sin: &Tensor) -> Tensor {
    let pairs = x.unflatten(-1, [-1, 2]); // (B, L, heads, D/2, 2)
    let turned = Tensor::stack(&[-pairs.select(-1, 1), pairs.select(-1, 0)], -1).flatten(-2, -1); // (B, L, heads, D)
    let rotated = x * cos + turned * sin; // f32 by promotion
    rotated.to_kind(x.kind())
}
