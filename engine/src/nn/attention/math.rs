//! Attention as two matrix products with a softmax between them, for a chunk of queries at a time: all pairs of tokens
//! at once would take more memory than any card has.

use tch::{Kind, Tensor};

use crate::device::AttentionKernel;

/// Most bytes that torch takes for the scores of one chunk.
const CHUNK_BYTES: u64 = 512 << 20;
/// Chunks are of so many queries or a multiple, where there is room for that.
const ALIGNMENT: u64 = 16;
/// Of each pair of tokens torch has two numbers at once, the score and its softmax, …
const PAIR_NUMBERS: u64 = 2;
/// … and what else it holds for them (measured on a processor, of 12 and 25 million pairs: less than a byte each).
const PAIR_OTHER_BYTES: u64 = 1;

/// What an attention has in memory beside its operands and its result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AttentionMemory {
    /// Nothing of note: the kernel is fused.
    #[default]
    Fused,
    /// Math's: the scores of a chunk of queries, and its operands in the type that it computes in.
    Chunks,
}

impl AttentionMemory {
    /// Bytes beside operands and result, for `tokens` tokens in `heads` heads of `head_dim` channels.
    pub(crate) fn bytes(self, tokens: u64, [heads, head_dim]: [u64; 2], kind: Kind) -> u64 {
        match self {
            Self::Fused => 0,
            Self::Chunks => {
                let queries = chunk_queries(tokens, heads, kind, CHUNK_BYTES);
                let operand_bytes = tokens * heads * head_dim * number_bytes(kind);
                query_bytes(tokens, heads, kind) * queries + operand_bytes * copies(kind)
            }
        }
    }
}

/// How many of `tokens` queries are computed at once, so that the scores of `heads` heads stay within `budget_bytes`:
/// at least one.
pub(super) fn chunk_queries(tokens: u64, heads: u64, kind: Kind, budget_bytes: u64) -> u64 {
    let most = budget_bytes / query_bytes(tokens, heads, kind).max(1);
    let aligned = if most < ALIGNMENT {
        most
    } else {
        most - most % ALIGNMENT
    };
    aligned.clamp(1, tokens.max(1))
}

/// `softmax(q kᵀ / √D) v` over (B, H, L, D), with memory for the pairs of one chunk. `None` if the tensors do not fit.
pub(super) fn attention(q: &Tensor, k: &Tensor, v: &Tensor) -> Option<Tensor> {
    in_chunks([q, k, v], queries_at_once(q, k))
}

/// Whether there is more than one chunk.
pub(super) fn has_chunks(q: &Tensor, k: &Tensor) -> bool {
    queries_at_once(q, k) < length(q)
}

fn queries_at_once(q: &Tensor, k: &Tensor) -> i64 {
    let heads = q.size().iter().rev().skip(2).product::<i64>();
    let [heads, tokens] = [heads, length(k)].map(i64::unsigned_abs);
    let queries = chunk_queries(tokens, heads, q.kind(), CHUNK_BYTES);
    i64::try_from(queries).unwrap_or(i64::MAX)
}

fn in_chunks([q, k, v]: [&Tensor; 3], queries: i64) -> Option<Tensor> {
    let kernel = AttentionKernel::Math;
    let length = length(q);
    if queries >= length {
        return kernel.attention(q, k, v, None);
    }
    let output = q.empty_like();
    for start in (0..length).step_by(queries.unsigned_abs() as usize) {
        let [chunk, place] = [q, &output].map(|t| t.narrow(-2, start, queries.min(length - start)));
        let attended = kernel.attention(&chunk, k, v, None)?;
        let mut place = place;
        place.copy_(&attended);
    }
    Some(output)
}

/// Tokens of an operand.
fn length(operand: &Tensor) -> i64 {
    operand.size().iter().rev().nth(1).copied().unwrap_or(1)
}

/// Bytes of the scores of one query.
fn query_bytes(tokens: u64, heads: u64, kind: Kind) -> u64 {
    let pair_bytes = PAIR_NUMBERS * number_bytes(kind) + PAIR_OTHER_BYTES;
    tokens.saturating_mul(heads).saturating_mul(pair_bytes)
}

/// Bytes of a number that math computes with: half precision becomes f32.
fn number_bytes(kind: Kind) -> u64 {
    (kind.elt_size_in_bytes() as u64).max(4)
}

/// Copies of an operand in that type, at most: the scaled keys; in half precision also keys and values themselves.
fn copies(kind: Kind) -> u64 {
    match kind {
        Kind::Half | Kind::BFloat16 => 3,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn a_chunk_fits_its_budget() {
        use Kind::{BFloat16, Double, Float, Half};
        // (tokens, heads, dtype, budget, queries)
        for (tokens, heads, kind, budget_bytes, expected) in [
            // A section of the published model: 24 * 18 269 * 9 bytes a query.
            (18_269, 24, BFloat16, 512 * MIB, 128),
            (18_269, 24, Half, 512 * MIB, 128),
            (18_269, 24, Float, 512 * MIB, 128),
            (18_269, 24, Double, 512 * MIB, 64),
            (18_269, 24, BFloat16, 1024 * MIB, 272),
            (18_269, 24, BFloat16, 64 * MIB, 16),
            (18_269, 24, BFloat16, 32 * MIB, 8),
            (18_269, 24, BFloat16, MIB, 1),
            (18_269, 24, BFloat16, 0, 1),
            (100, 2, Float, 512 * MIB, 100),
            (100, 2, Float, 100 * 2 * 9 * 99, 96),
            (1, 1, Float, 9, 1),
            (0, 0, Float, 0, 1),
            (u64::MAX, 24, Float, u64::MAX, 1),
        ] {
            let found = chunk_queries(tokens, heads, kind, budget_bytes);
            assert_eq!(found, expected, "{tokens} {heads} {kind:?} {budget_bytes}");
            let bytes = query_bytes(tokens, heads, kind).saturating_mul(found);
            assert!(bytes <= budget_bytes || found == 1, "{bytes}");
        }
    }

    #[test]
    fn memory_is_that_of_a_chunk_and_of_the_widened_operands() {
        let heads = [24, 128];
        let tokens = 18_269;
        let operand = tokens * 24 * 128;
        let scores = 128 * tokens * 24 * 9;
        for (kind, copies_bytes) in [
            (Kind::BFloat16, 3 * 4),
            (Kind::Half, 3 * 4),
            (Kind::Float, 4),
        ] {
            let chunks = AttentionMemory::Chunks.bytes(tokens, heads, kind);
            assert_eq!(chunks, scores + operand * copies_bytes, "{kind:?}");
            assert_eq!(AttentionMemory::Fused.bytes(tokens, heads, kind), 0);
        }
        // All pairs of few tokens are one chunk.
        let few = AttentionMemory::Chunks.bytes(100, [2, 16], Kind::Float);
        assert_eq!(few, 100 * 100 * 2 * 9 + 100 * 2 * 16 * 4);
    }

    fn operands(tokens: i64, kind: Kind) -> [Tensor; 3] {
        [0.37, 0.53, 0.71].map(|step: f64| {
            let angles = Tensor::arange(tokens * 3 * 8, (Kind::Float, Device::Cpu)) * step;
            let waves = angles.sin().view([1, tokens, 3, 8]).transpose(1, 2);
            waves.to_kind(kind)
        })
    }

    #[test]
    fn chunks_compute_what_all_pairs_do() {
        for kind in [Kind::Float, Kind::BFloat16] {
            let limit = if kind == Kind::Float { 1e-6 } else { 1e-2 };
            for tokens in [1, 2, 7, 61, 130] {
                let [q, k, v] = &operands(tokens, kind);
                let whole = AttentionKernel::Math.attention(q, k, v, None).unwrap();
                for queries in [1, 3, 16, 60, 61, 129, 130, 1000] {
                    let found = in_chunks([q, k, v], queries).unwrap();
                    assert_eq!((found.size(), found.kind()), (whole.size(), kind));
                    let error = (found - &whole).abs().max().double_value(&[]);
                    assert!(error <= limit, "{tokens} {queries} {kind:?}: {error}");
                }
            }
        }
    }

    #[test]
    fn few_tokens_are_one_call_and_the_same_bits() {
        let [q, k, v] = &operands(130, Kind::Float);
        assert!(!has_chunks(q, k));
        let whole = AttentionKernel::Math.attention(q, k, v, None);
        assert_eq!(attention(q, k, v), whole);
    }

    #[test]
    fn a_long_sequence_has_chunks() {
        // Of shape alone: nothing of that size is allocated.
        let long = Tensor::zeros([1, 1, 1, 16], (Kind::Float, Device::Cpu))
            .expand([1, 24, 18_269, 16], false);
        assert!(has_chunks(&long, &long));
        assert_eq!(queries_at_once(&long, &long), 128);
    }
}
