//! Gated residual connections.

use tch::Tensor;

use super::{modulate::modulated_norm, source::PerToken};
use crate::kernels::launch::Kernels;

/// `x + y · gate`, for `x` and `y` of (B, L, D) and `gate` of (B, 1, D).
pub(crate) fn add_gated(x: &Tensor, y: &Tensor, gate: &Tensor) -> Tensor {
    x + y * gate
}

impl Kernels {
    /// Writes [`add_gated`] of one sample to `out`, (1, L, D).
    pub(crate) fn add_gated(&self, x: &Tensor, y: &Tensor, gate: &Tensor, out: &Tensor) {
        match PerToken::of(self, c"add_gated", x, &[y, out], &[gate]) {
            Some(kernel) => kernel.launch(&[x, y, gate, out], None),
            None => drop(x.add_out(out, &(y * gate))),
        }
    }

    /// [`add_gated`] of one sample, and its [`modulated_norm`] with `shift` and `scale` of (1, 1, D).
    pub(crate) fn add_gated_norm(
        &self,
        (x, y, gate): (&Tensor, &Tensor, &Tensor),
        [shift, scale]: [&Tensor; 2],
        eps: f64,
    ) -> [Tensor; 2] {
        let Some(kernel) = PerToken::of(self, c"add_gated_norm", x, &[y], &[gate, shift, scale])
        else {
            let sum = add_gated(x, y, gate);
            let normed = modulated_norm(&sum, [shift, scale], eps);
            return [sum, normed];
        };
        let [sum, normed] = [x.empty_like(), x.empty_like()];
        kernel.launch(&[x, y, gate, shift, scale, &sum, &normed], Some(eps));
        [sum, normed]
    }
}
