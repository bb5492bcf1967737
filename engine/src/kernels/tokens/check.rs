//! The kernels of a device against torch's operations on it.

use tch::{Device, Kind, Tensor};

use super::{
    gate::add_gated, join::Attended, modulate::modulated_norm, parts::attention_in_parts,
    rotate::HeadNorms,
};
use crate::{
    kernels::{comparison::Comparison, launch::Kernels},
    nn::{Linear, RmsNorm, attention::Backend},
};

const EPS: f64 = 1e-6;
const TOKENS: i64 = 37;
/// Of them, those that are rotated.
const ROTATED: i64 = 30;
/// More than are taken at once, and not in full tiles.
const MANY_KEYS: i64 = 12_345;

/// Compares the kernels, and what is part of matrix products, in each type with torch's operations in f32 on the same numbers.
pub(in crate::kernels) fn compare(kernels: &Kernels, device: Device) -> Comparison {
    let kinds: &[(Kind, f64)] = match device {
        // Of numbers up to 16, as far as a unit in the last place.
        Device::Cuda(_) => &[
            (Kind::Float, 1e-4),
            (Kind::Half, 8e-3),
            (Kind::BFloat16, 6.3e-2),
        ],
        _ => &[(Kind::Float, 1e-4)],
    };
    let mut comparison = Comparison::default();
    for (kind, limit) in kinds {
        for [heads, head_dim] in [[24, 128], [3, 6], [5, 24], [1, 160]] {
            let of = Numbers {
                kind: *kind,
                device,
                heads,
                head_dim,
            };
            for [found, expected] in of.results(kernels) {
                comparison.see(&found, &expected, *limit);
            }
        }
    }
    if device.is_cuda() {
        for kind in [Kind::Half, Kind::BFloat16] {
            let limit = if kind == Kind::Half { 8e-3 } else { 6.3e-2 };
            let [found, expected] = attention(kernels, kind, device);
            comparison.see(&found, &expected, limit);
        }
    }
    comparison
}

/// Attention over as many keys as are taken in parts, beside math in f32.
fn attention(kernels: &Kernels, kind: Kind, device: Device) -> [Tensor; 2] {
    let of = Numbers {
        kind,
        device,
        heads: 2,
        head_dim: 128,
    };
    let heads = |x: Tensor| x.transpose(1, 2); // (1, heads, L, head_dim)
    let waves = |tokens, step| heads(of.waves(&[1, tokens, of.heads, of.head_dim], step));
    let (q, k, v) = (
        waves(TOKENS, 0.37),
        waves(MANY_KEYS, 0.53),
        waves(MANY_KEYS, 0.71),
    );
    let found = attention_in_parts(Backend::Torch, kernels, [&q, &k, &v]);
    let [q, k, v] = [q, k, v].map(|x| x.to_kind(Kind::Float));
    [found, Backend::Math.attention(&q, &k, &v)]
}

/// Sizes and type of what is compared.
struct Numbers {
    kind: Kind,
    device: Device,
    heads: i64,
    head_dim: i64,
}

impl Numbers {
    /// Numbers up to 2 that look random.
    fn waves(&self, shape: &[i64], step: f64) -> Tensor {
        let count = shape.iter().product::<i64>();
        let angles = Tensor::arange(count, (Kind::Double, self.device)) * step;
        let waves = (angles.square() * 0.1).sin() * 2.0;
        waves.to_kind(self.kind).view(shape)
    }

    /// What the kernels give, beside what torch's operations give in f32.
    fn results(&self, kernels: &Kernels) -> Vec<[Tensor; 2]> {
        let dim = self.heads * self.head_dim;
        let f32 = |x: &Tensor| x.to_kind(Kind::Float);
        let [x, y] = [0.37, 0.53].map(|step| self.waves(&[1, TOKENS, dim], step));
        let [gate, shift, scale] = [0.71, 0.83, 0.97].map(|step| self.waves(&[1, 1, dim], step));
        let shift_scale = [&shift, &scale];

        let normed = kernels.modulated_norm(&x, shift_scale, EPS);
        let normed_in_f32 = modulated_norm(&f32(&x), [&f32(&shift), &f32(&scale)], EPS);
        let sum = x.empty_like();
        kernels.add_gated(&x, &y, &gate, &sum);
        let sum_in_f32 = add_gated(&f32(&x), &f32(&y), &f32(&gate));
        let [sum_too, sum_normed] = kernels.add_gated_norm((&x, &y, &gate), shift_scale, EPS);
        let sum_normed_in_f32 = modulated_norm(&f32(&sum), [&f32(&shift), &f32(&scale)], EPS);

        let [norm_q, norm_k] = [1.1, 1.3].map(|step| {
            let weight = self.waves(&[self.head_dim], step);
            RmsNorm::new(weight, EPS)
        });
        let angles =
            [1.7, 1.9].map(|step| f32(&self.waves(&[1, ROTATED, 1, self.head_dim], step)) / 2.0);
        let rotated = |kernels: &Kernels, kind: Kind| {
            let heads = |x: &Tensor| x.unflatten(-1, [self.heads, self.head_dim]);
            let both = [&x, &y].map(|x| heads(&x.to_kind(kind).copy()));
            let in_kind =
                [&norm_q, &norm_k].map(|norm| RmsNorm::new(norm.weight().to_kind(kind), EPS));
            let norms = HeadNorms {
                queries: &in_kind[0],
                keys: &in_kind[1],
            };
            kernels.norm_rotate(both.each_ref(), norms, Some(angles.each_ref()));
            both
        };
        let [q, k] = rotated(kernels, self.kind);
        let [q_in_f32, k_in_f32] = rotated(&Kernels::none(), Kind::Float);
        let layer = |kind| {
            let weight = self.waves(&[5, dim], 2.3) / dim as f64;
            Linear::new(
                weight.to_kind(kind),
                Some(self.waves(&[5], 2.9).to_kind(kind)),
            )
        };
        let [in_kind, in_f32] = [self.kind, Kind::Float].map(layer);
        let parts = [
            (0, self.head_dim / 2),
            (self.head_dim / 2, dim - self.head_dim / 2),
        ];
        let parts = parts.map(|(first, count)| x.narrow(2, first, count).contiguous());
        let product = in_f32.forward(&f32(&x));
        let logarithms = |step| f32(&self.waves(&[1, self.heads, TOKENS, 1], step));
        let attended = |kind: Kind, x: &Tensor, step| {
            let heads = x
                .to_kind(kind)
                .copy()
                .unflatten(-1, [self.heads, self.head_dim]);
            Attended {
                values: heads.transpose(1, 2),
                logarithms: logarithms(step),
            }
        };
        let joined = |kernels: &Kernels, kind: Kind| {
            kernels.join_attended(attended(kind, &x, 3.1), &attended(kind, &y, 3.7))
        };
        vec![
            [
                joined(kernels, self.kind),
                joined(&Kernels::none(), Kind::Float),
            ],
            [in_kind.forward_gelu(&x), product.gelu("tanh")],
            [in_kind.forward_parts(&parts.each_ref()), product],
            [normed, normed_in_f32],
            [sum, sum_in_f32.shallow_clone()],
            [sum_too, sum_in_f32],
            [sum_normed, sum_normed_in_f32],
            [q, q_in_f32],
            [k, k_in_f32],
        ]
    }
}
