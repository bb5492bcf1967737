//! Attention by cuDNN over its keys in two parts.
//!
//! Its kernel takes keys in tiles of 128 and loses a twentieth of its speed to the last one where that is not full (measured
//! on an H200). So it is given the full tiles, and then the rest; the results are joined by their sums of exponentials.

use tch::Tensor;

use super::join::Attended;
use crate::{device::cudnn_attention, kernels::launch::Kernels, nn::attention::Backend};

/// Keys of a tile.
const TILE: i64 = 128;
/// Fewest keys of which parts are faster: joining them takes time too.
const FEWEST_KEYS: i64 = 12_288;

/// Attention by `backend` over (1, H, L, D); strided views are fine.
pub(crate) fn attention_in_parts(
    backend: Backend,
    kernels: &Kernels,
    [q, k, v]: [&Tensor; 3],
) -> Tensor {
    let keys = k.size()[2];
    let rest = keys % TILE;
    if keys < FEWEST_KEYS || rest == 0 || !backend.is_cudnn([q, k, v]) {
        return backend.attention(q, k, v);
    }
    let of = |first, count| {
        let [k, v] = [k, v].map(|x| x.narrow(2, first, count));
        let [values, logarithms] = cudnn_attention([q, &k, &v]);
        Attended { values, logarithms }
    };
    kernels.join_attended(of(0, keys - rest), &of(keys - rest, rest))
}
