//! Rotary position embedding (arXiv:2104.09864) of adjacent channels, behind the norm of queries and keys.

use tch::{Kind, Tensor};

use super::source::{is_in_a_row, launch_of_heads, per_head};
use crate::{
    kernels::{
        launch::{Argument, Kernels},
        variant::adjacent,
    },
    nn::RmsNorm,
};

/// Tokens that torch's operations take at once: the norm and the rotation are in f32, with copies of all heads.
pub(crate) const TOKENS_AT_ONCE: u64 = 2048;

/// Rotates pairs of adjacent channels of `x`, (B, L, heads, D), by angles whose cosines and sines are given, both f32
/// and (1, L, 1, D). In f32, back in the type of `x`.
pub(crate) fn rotate_pairs(x: &Tensor, [cos, sin]: [&Tensor; 2]) -> Tensor {
    let pairs = x.unflatten(-1, [-1, 2]); // (B, L, heads, D/2, 2)
    let turned = Tensor::stack(&[-pairs.select(-1, 1), pairs.select(-1, 0)], -1).flatten(-2, -1); // (B, L, heads, D)
    let rotated = x * cos + turned * sin; // f32 by promotion
    rotated.to_kind(x.kind())
}

/// The norms of an attention's queries and keys, over the channels of a head.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadNorms<'a> {
    pub(crate) queries: &'a RmsNorm,
    pub(crate) keys: &'a RmsNorm,
}

impl Kernels {
    /// Norms `queries` and `keys`, (1, L, heads, D) each, in their place, and rotates the first tokens of them by the
    /// cosines and sines of `angles`, f32 and (1, tokens, 1, D) each.
    pub(crate) fn norm_rotate(
        &self,
        [queries, keys]: [&Tensor; 2],
        norms: HeadNorms<'_>,
        angles: Option<[&Tensor; 2]>,
    ) {
        if self
            .norm_rotate_by_kernel([queries, keys], norms, angles)
            .is_none()
        {
            norm_rotate(queries, norms.queries, angles);
            norm_rotate(keys, norms.keys, angles);
        }
    }

    fn norm_rotate_by_kernel(
        &self,
        [queries, keys]: [&Tensor; 2],
        norms: HeadNorms<'_>,
        angles: Option<[&Tensor; 2]>,
    ) -> Option<()> {
        let (_, tokens, heads, head_dim) = queries.size4().ok()?;
        let kind = queries.kind();
        let weights = [norms.queries.weight(), norms.keys.weight()];
        let eps = norms.queries.eps();
        let vector = adjacent(head_dim);
        let is_alike = [queries, keys]
            .iter()
            .all(|x| x.kind() == kind && x.size() == queries.size() && is_in_a_row(x, vector));
        let has_weights = weights.iter().all(|weight| {
            weight.kind() == kind && weight.size() == [head_dim] && is_in_a_row(weight, vector)
        });
        let has_angles = angles.is_none_or(|[cos, sin]| {
            let rotated = cos.size()[1];
            let is_table = |table: &Tensor| {
                table.kind() == Kind::Float
                    && table.size() == [1, rotated, 1, head_dim]
                    && is_in_a_row(table, vector)
            };
            rotated <= tokens && is_table(cos) && is_table(sin)
        });
        let has_one_eps = norms.keys.eps().to_bits() == eps.to_bits();
        if tokens == 0 || !(is_alike && has_weights && has_angles && has_one_eps) {
            return None;
        }
        let kernel = self.get(&per_head(c"norm_rotate", kind, head_dim)?)?;
        let rotated = angles.map_or(0, |[cos, _]| cos.size()[1]);
        let [cos, sin] = angles.map_or([None; 2], |angles| angles.map(Some));
        kernel.launch(
            &launch_of_heads(tokens)?,
            &[
                Argument::Tensor(queries),
                Argument::Tensor(keys),
                Argument::Tensor(weights[0]),
                Argument::Tensor(weights[1]),
                Argument::optional(cos),
                Argument::optional(sin),
                Argument::Int(i32::try_from(rotated).ok()?),
                Argument::Int(i32::try_from(heads).ok()?),
                Argument::Double(eps),
            ],
        );
        Some(())
    }
}

/// The same by torch's operations.
fn norm_rotate(x: &Tensor, norm: &RmsNorm, angles: Option<[&Tensor; 2]>) {
    let (tokens, rotated) = (x.size()[1], angles.map_or(0, |[cos, _]| cos.size()[1]));
    let mut from = 0;
    while from < tokens {
        // None has both kinds of tokens.
        let end = if from < rotated { rotated } else { tokens };
        let count = (TOKENS_AT_ONCE as i64).min(end - from);
        let mut piece = x.narrow(1, from, count);
        let normed = norm.forward(&piece);
        let result = match angles.filter(|_| from < rotated) {
            Some(angles) => rotate_pairs(
                &normed,
                angles.map(|angle| angle.narrow(1, from, count)).each_ref(),
            ),
            None => normed,
        };
        piece.copy_(&result);
        from += count;
    }
}
