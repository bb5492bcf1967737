//! Gated residual connections.

use tch::Tensor;

/// `x + y · gate`, for `x` and `y` of (B, L, D) and `gate` of (B, 1, D).
pub(crate) fn add_gated(x: &Tensor, y: &Tensor, gate: &Tensor) -> Tensor {
    x + y * gate
}
