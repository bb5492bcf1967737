//! Attention by cuDNN over its keys in two parts.
//!
//! Its kernel takes keys in tiles of 128 and loses a twentieth of its speed to the last one where that is not full (measured
//! on an H200). So it is given the full tiles, and then the rest; the results are joined by their sums of exponentials.

use tch::Tensor;

use super::join::Attended;
use crate::{device::cudnn_attention, kernels::launch::Kernels, nn::attention::Backend};

/// Keys of a tile.
const TILE: i64 = 128;
/// Fewest keys behind the full tiles that are a part of their own; torch's cuDNN refuses a single one.
const FEWEST_REST: i64 = 16;
/// Fewest keys of which parts are faster: joining them takes time too.
const FEWEST_KEYS: i64 = 12_288;

/// Attention by `backend` over (1, H, L, D); strided views are fine.
pub(crate) fn attention_in_parts(
    backend: Backend,
    kernels: &Kernels,
    [q, k, v]: [&Tensor; 3],
) -> Tensor {
    let keys = k.size()[2];
    let Some(rest) = rest_of(keys).filter(|_| backend.is_cudnn([q, k, v])) else {
        return backend.attention(q, k, v);
    };
    let of = |first, count| {
        let [k, v] = [k, v].map(|x| x.narrow(2, first, count));
        let [values, logarithms] = cudnn_attention([q, &k, &v]);
        Attended { values, logarithms }
    };
    kernels.join_attended(of(0, keys - rest), &of(keys - rest, rest))
}

/// How many of so many keys are the second part; `None` where one part is faster.
fn rest_of(keys: i64) -> Option<i64> {
    let rest = keys % TILE;
    if keys < FEWEST_KEYS || rest == 0 {
        return None;
    }
    Some(if rest < FEWEST_REST {
        rest + TILE
    } else {
        rest
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_part_has_full_tiles_and_the_second_is_never_tiny() {
        for keys in 12_289..12_800 {
            match rest_of(keys) {
                None => assert_eq!(keys % TILE, 0, "{keys}"),
                Some(rest) => {
                    assert_eq!((keys - rest) % TILE, 0, "{keys}");
                    assert!((16..TILE + 16).contains(&rest), "{keys}: {rest}");
                }
            }
        }
        assert_eq!(rest_of(7413), None);
        assert_eq!(rest_of(18_289), Some(113));
        assert_eq!(rest_of(18_305), Some(129));
    }
}
