//! By which operations the blocks compute.
//!
//! With kernels in fewer passes over memory, rounding less often; without, by torch's operations in the order of
//! diffusers' `HunyuanVideoFramepackTransformer3DModel`, bit for bit.

use tch::Tensor;

use super::profile::{Part, Profile};
use crate::{
    kernels::{
        Kernels,
        tokens::{
            HeadNorms, add_gated_into, add_gated_norm, attention_in_parts, modulated_norm,
            rotate_pairs,
        },
    },
    nn::{Linear, attention::Backend},
};

/// Added to variances and mean squares.
pub(super) const EPS: f64 = 1e-6;

/// The operations, and who measures them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arithmetic<'a> {
    /// `None`: the reference's operations.
    pub(super) kernels: Option<&'a Kernels>,
    pub(super) profile: Option<&'a Profile>,
}

impl Arithmetic<'_> {
    /// The reference's operations, not measured.
    pub(super) const REFERENCE: Self = Self {
        kernels: None,
        profile: None,
    };

    /// Does `work`, which is of `part`.
    pub(super) fn time<T>(&self, part: Part, work: impl FnOnce() -> T) -> T {
        match self.profile {
            Some(profile) => profile.time(part, work),
            None => work(),
        }
    }

    /// The norm of `x`, (1, L, D), scaled and shifted by (1, 1, D).
    pub(super) fn modulated_norm(&self, x: &Tensor, shift_scale: [&Tensor; 2]) -> Tensor {
        self.time(Part::Norm, || match self.kernels {
            Some(kernels) => kernels.modulated_norm(x, shift_scale, EPS),
            None => modulated_norm(x, shift_scale, EPS),
        })
    }

    /// Writes `x + y · gate` to `out`, (1, L, D); `gate` is (1, 1, D).
    pub(super) fn add_gated(&self, x: &Tensor, y: &Tensor, gate: &Tensor, out: &Tensor) {
        self.time(Part::Norm, || match self.kernels {
            Some(kernels) => kernels.add_gated(x, y, gate, out),
            None => add_gated_into(x, y, gate, out),
        });
    }

    /// `x + y · gate`, and its norm, scaled and shifted.
    pub(super) fn add_gated_norm(
        &self,
        (x, y, gate): (&Tensor, &Tensor, &Tensor),
        shift_scale: [&Tensor; 2],
    ) -> [Tensor; 2] {
        self.time(Part::Norm, || match self.kernels {
            Some(kernels) => kernels.add_gated_norm((x, y, gate), shift_scale, EPS),
            None => add_gated_norm((x, y, gate), shift_scale, EPS),
        })
    }

    /// Writes the layer of `x`, (1, L, in), to `out`, (1, L, out).
    pub(super) fn project(&self, layer: &Linear, x: &Tensor, out: &Tensor) {
        self.time(Part::Qkv, || layer.forward_into(x, out));
    }

    /// Norms queries and keys, (1, L, heads, `head_dim`) each, in their place, and rotates the first of them by as many
    /// cosines and sines, (1, tokens, 1, `head_dim`) each.
    pub(super) fn norm_rotate(
        &self,
        both: [&Tensor; 2],
        norms: HeadNorms<'_>,
        angles: Option<[&Tensor; 2]>,
    ) {
        self.time(Part::Rope, || {
            if let Some(kernels) = self.kernels {
                return kernels.norm_rotate(both, norms, angles);
            }
            let tokens = angles.map_or(0, |[cos, _]| cos.size()[1]);
            for (x, norm) in both.into_iter().zip([norms.queries, norms.keys]) {
                let normed = norm.forward(x);
                if let Some(angles) = angles {
                    let rotated = rotate_pairs(&normed.narrow(1, 0, tokens), angles);
                    normed.narrow(1, 0, tokens).copy_(&rotated);
                }
                x.shallow_clone().copy_(&normed);
            }
        });
    }

    /// Attention over (1, heads, L, `head_dim`).
    pub(super) fn attention(&self, backend: Backend, [q, k, v]: [&Tensor; 3]) -> Tensor {
        self.time(Part::Attention, || match self.kernels {
            Some(kernels) => attention_in_parts(backend, kernels, [q, k, v]),
            None => backend.attention(q, k, v),
        })
    }

    /// The layer of `x`, with GELU behind it.
    pub(super) fn gelu(&self, layer: &Linear, x: &Tensor) -> Tensor {
        self.time(Part::Mlp, || match self.kernels {
            Some(_) => layer.forward_gelu(x),
            None => layer.forward(x).gelu("tanh"),
        })
    }

    /// The layer of `attended` and `mlp` side by side, (1, L, D) and (1, L, M).
    pub(super) fn project_both(&self, layer: &Linear, attended: &Tensor, mlp: &Tensor) -> Tensor {
        self.time(Part::Projections, || match self.kernels {
            Some(_) => layer.forward_parts(&[attended, mlp]),
            None => layer.forward(&Tensor::cat(&[attended, mlp], -1)), // (1, L, D + M)
        })
    }
}
