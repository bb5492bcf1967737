//! Adaptive layer norm (arXiv:2212.09748).

use tch::Tensor;

use super::source::PerToken;
use crate::{kernels::launch::Kernels, nn::layer_norm};

/// `LN(x) · (1 + scale) + shift`, for `x` of (B, L, D), and `shift` and `scale` of (B, 1, D). The norm is over the last
/// axis and has no weights.
pub(crate) fn modulated_norm(x: &Tensor, [shift, scale]: [&Tensor; 2], eps: f64) -> Tensor {
    layer_norm(x, eps) * (scale + 1.0) + shift
}

impl Kernels {
    /// [`modulated_norm`] of one sample.
    pub(crate) fn modulated_norm(
        &self,
        x: &Tensor,
        [shift, scale]: [&Tensor; 2],
        eps: f64,
    ) -> Tensor {
        let Some(kernel) = PerToken::of(self, c"modulated_norm", x, &[], &[shift, scale]) else {
            return modulated_norm(x, [shift, scale], eps);
        };
        let out = x.empty_like();
        kernel.launch(&[x, shift, scale, &out], Some(eps));
        out
    }
}
