//! What [`Siglip`](super::Siglip) takes of memory.

use tch::Kind;

use crate::{nn::EncoderCost, weights::Elements};

/// What the encoder takes, by the sizes of the tensors that there are. Beside the VAE, which encodes the same picture
/// with the same memory, its 729 patches do not count.
pub fn cost(elements: &Elements, kind: Kind) -> EncoderCost {
    EncoderCost::whole(elements.bytes(kind))
}
