//! Attention over two sets of keys as one over both (arXiv:1805.02867).

use tch::{Kind, Tensor};

use super::source::{is_in_a_row, launch_of_heads, per_head};
use crate::kernels::{
    launch::{Argument, Kernels},
    variant::adjacent,
};

/// What queries get of some keys.
#[derive(Debug)]
pub(crate) struct Attended {
    /// (1, H, L, D), in memory (1, L, H, D) in a row.
    pub(crate) values: Tensor,
    /// The logarithm of each query's sum of exponentials, (1, H, L, 1) f32 in a row.
    pub(crate) logarithms: Tensor,
}

impl Attended {
    /// Whether a kernel can go through it, for queries of (1, H, L, D).
    fn is_in_a_row(&self, [heads, tokens, head_dim]: [i64; 3], kind: Kind) -> bool {
        let rows = self.values.transpose(1, 2);
        rows.kind() == kind
            && rows.size() == [1, tokens, heads, head_dim]
            && is_in_a_row(&rows, adjacent(head_dim))
            && self.logarithms.kind() == Kind::Float
            && self.logarithms.numel() as i64 == heads * tokens
            && is_in_a_row(&self.logarithms, 1)
    }
}

impl Kernels {
    /// What queries get of the keys of both, written to `a`.
    pub(crate) fn join_attended(&self, a: Attended, b: &Attended) -> Tensor {
        if self.join_by_kernel(&a, b).is_some() {
            return a.values;
        }
        let share = (&a.logarithms - &b.logarithms).sigmoid(); // of a, (1, H, L, 1)
        let kind = a.values.kind();
        let joined = b
            .values
            .to_kind(Kind::Float)
            .lerp_tensor(&a.values.to_kind(Kind::Float), &share);
        joined.to_kind(kind)
    }

    fn join_by_kernel(&self, a: &Attended, b: &Attended) -> Option<()> {
        let (_, heads, tokens, head_dim) = a.values.size4().ok()?;
        let kind = a.values.kind();
        let size = [heads, tokens, head_dim];
        if tokens == 0 || !a.is_in_a_row(size, kind) || !b.is_in_a_row(size, kind) {
            return None;
        }
        let kernel = self.get(&per_head(c"join_attended", kind, head_dim)?)?;
        let [a_rows, b_rows] = [a, b].map(|attended| attended.values.transpose(1, 2));
        kernel.launch(
            &launch_of_heads(tokens)?,
            &[
                Argument::Tensor(&a_rows),
                Argument::Tensor(&b_rows),
                Argument::Tensor(&a.logarithms),
                Argument::Tensor(&b.logarithms),
                Argument::Int(i32::try_from(heads).ok()?),
            ],
        );
        Some(())
    }
}
