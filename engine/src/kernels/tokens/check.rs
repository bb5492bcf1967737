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
/// More than are taken at once: with a key, some and almost a tile behind full tiles.
const MANY_KEYS: [i64; 3] = [12_289, 12_345, 12_415];

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
            for keys in MANY_KEYS {
                let [found, expected] = attention(kernels, (kind, device), keys);
                comparison.see(&found, &expected, limit);
            }
        }
    }
    comparison
}

/// Attention over so many keys, beside math in f32.
fn attention(kernels: &Kernels, (kind, device): (Kind, Device), keys: i64) -> [Tensor; 2] {
    let of = Numbers {
        kind,
        device,
        heads: 2,
        head_dim: 128,
    };
    let heads = |x: Tensor| x.transpose(1, 2); // (1, heads, L, head_dim)
    let waves = |tokens, step| heads(of.waves(&[1, tokens, of.heads, of.head_dim], step));
    let (q, k, v) = (waves(TOKENS, 0.37), waves(keys, 0.53), waves(keys, 0.71));
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

    /// Tokens that look random, (1, TOKENS, heads · `head_dim`).
    fn tokens(&self) -> [Tensor; 2] {
        let dim = self.heads * self.head_dim;
        [0.37, 0.53].map(|step| self.waves(&[1, TOKENS, dim], step))
    }

    /// (1, TOKENS, D) → (1, TOKENS, heads, `head_dim`), in another type and memory.
    fn heads(&self, x: &Tensor, kind: Kind) -> Tensor {
        let heads = [self.heads, self.head_dim];
        x.to_kind(kind).copy().unflatten(-1, heads)
    }

    /// What the kernels give, beside what torch's operations give in f32.
    fn results(&self, kernels: &Kernels) -> Vec<[Tensor; 2]> {
        let torchs = Kernels::none();
        let rotated = self.rotated(kernels, self.kind);
        let joined = self.joined(kernels, self.kind);
        let [q, k] = self.rotated(&torchs, Kind::Float);
        let [rotated_q, rotated_k] = rotated;
        let mut results = vec![
            [rotated_q, q],
            [rotated_k, k],
            [joined, self.joined(&torchs, Kind::Float)],
        ];
        results.extend(self.sums(kernels));
        results.extend(self.products());
        results
    }

    fn sums(&self, kernels: &Kernels) -> [[Tensor; 2]; 4] {
        let dim = self.heads * self.head_dim;
        let [x, y] = self.tokens();
        let [gate, shift, scale] = [0.71, 0.83, 0.97].map(|step| self.waves(&[1, 1, dim], step));
        let shift_scale = [&shift, &scale];
        let in_f32 = shift_scale.map(f32);
        let modulated = |x: &Tensor| modulated_norm(&f32(x), in_f32.each_ref(), EPS);

        let normed = kernels.modulated_norm(&x, shift_scale, EPS);
        let sum = x.empty_like();
        kernels.add_gated(&x, &y, &gate, &sum);
        let expected = add_gated(&f32(&x), &f32(&y), &f32(&gate));
        let [sum_too, sum_normed] = kernels.add_gated_norm((&x, &y, &gate), shift_scale, EPS);
        let sum_modulated = modulated(&sum);
        [
            [normed, modulated(&x)],
            [sum, expected.shallow_clone()],
            [sum_too, expected],
            [sum_normed, sum_modulated],
        ]
    }

    /// Queries and keys, normed, and the first of them rotated.
    fn rotated(&self, kernels: &Kernels, kind: Kind) -> [Tensor; 2] {
        let both = self.tokens().map(|x| self.heads(&x, kind));
        let [queries, keys] = [1.1, 1.3].map(|step| {
            let weight = self.waves(&[self.head_dim], step);
            RmsNorm::new(weight.to_kind(kind), EPS)
        });
        let norms = HeadNorms {
            queries: &queries,
            keys: &keys,
        };
        let angles =
            [1.7, 1.9].map(|step| f32(&self.waves(&[1, ROTATED, 1, self.head_dim], step)) / 2.0);
        kernels.norm_rotate(both.each_ref(), norms, Some(angles.each_ref()));
        both
    }

    /// Two attentions, joined.
    fn joined(&self, kernels: &Kernels, kind: Kind) -> Tensor {
        let attended = |x: &Tensor, step| Attended {
            values: self.heads(x, kind).transpose(1, 2),
            logarithms: f32(&self.waves(&[1, self.heads, TOKENS, 1], step)),
        };
        let [x, y] = self.tokens();
        kernels.join_attended(attended(&x, 3.1), &attended(&y, 3.7))
    }

    /// What the matrix product itself does: GELU, and parts that are added up.
    fn products(&self) -> [[Tensor; 2]; 2] {
        let dim = self.heads * self.head_dim;
        let [x, _] = self.tokens();
        let layer = |kind| {
            let weight = self.waves(&[5, dim], 2.3) / dim as f64;
            let bias = self.waves(&[5], 2.9).to_kind(kind);
            Linear::new(weight.to_kind(kind), Some(bias))
        };
        let [in_kind, in_f32] = [self.kind, Kind::Float].map(layer);
        let first = self.head_dim / 2;
        let parts = [(0, first), (first, dim - first)];
        let parts = parts.map(|(start, count)| x.narrow(2, start, count).contiguous());
        let expected = in_f32.forward(&f32(&x));
        [
            [in_kind.forward_gelu(&x), expected.gelu("tanh")],
            [in_kind.forward_parts(&parts.each_ref()), expected],
        ]
    }
}

fn f32(x: &Tensor) -> Tensor {
    x.to_kind(Kind::Float)
}
