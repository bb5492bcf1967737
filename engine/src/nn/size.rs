//! How much memory a tensor takes.

use tch::Tensor;

/// Size of a tensor's values.
pub(super) fn bytes_of(tensor: &Tensor) -> u64 {
    (tensor.numel() * tensor.kind().elt_size_in_bytes()) as u64
}
