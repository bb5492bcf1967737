//! Gated residual connections.

use tch::Tensor;

use super::{modulate::modulated_norm, source::PerToken};
use crate::kernels::launch::Kernels;

/// `x + y · gate`, for `x` and `y` of (B, L, D) and `gate` of (B, 1, D).
pub(crate) fn add_gated(x: &Tensor, y: &Tensor, gate: &Tensor) -> Tensor {
    x + y * gate
}

/// Writes it to `out`, (B, L, D).
pub(crate) fn add_gated_into(x: &Tensor, y: &Tensor, gate: &Tensor, out: &Tensor) {
    let _ = x.add_out(out, &(y * gate));
}

/// [`add_gated`], and its [`modulated_norm`] with `shift` and `scale` of (B, 1, D).
pub(crate) fn add_gated_norm(
    (x, y, gate): (&Tensor, &Tensor, &Tensor),
    shift_scale: [&Tensor; 2],
    eps: f64,
) -> [Tensor; 2] {
    let sum = add_gated(x, y, gate);
    let normed = modulated_norm(&sum, shift_scale, eps);
    [sum, normed]
}

impl Kernels {
    /// [`add_gated_into`] of one sample.
    pub(crate) fn add_gated(&self, x: &Tensor, y: &Tensor, gate: &Tensor, out: &Tensor) {
        match PerToken::of(self, c"add_gated", x, &[y, out], &[gate]) {
            Some(kernel) => kernel.launch(&[x, y, gate, out], None),
            None => add_gated_into(x, y, gate, out),
        }
    }

    /// [`add_gated_norm`] of one sample.
    pub(crate) fn add_gated_norm(
        &self,
        (x, y, gate): (&Tensor, &Tensor, &Tensor),
        [shift, scale]: [&Tensor; 2],
        eps: f64,
    ) -> [Tensor; 2] {
        let Some(kernel) = PerToken::of(self, c"add_gated_norm", x, &[y], &[gate, shift, scale])
        else {
            return add_gated_norm((x, y, gate), [shift, scale], eps);
        };
        let [sum, normed] = [x.empty_like(), x.empty_like()];
        kernel.launch(&[x, y, gate, shift, scale, &sum, &normed], Some(eps));
        [sum, normed]
    }
}
