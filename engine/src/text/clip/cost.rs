//! What [`Clip`](super::Clip) takes of memory.

use tch::Kind;

use crate::{nn::EncoderCost, weights::Elements};

/// What the encoder takes, by the sizes of the tensors that there are. Beside Llama, which runs before it with the same
/// memory, its 77 tokens do not count.
pub fn cost(elements: &Elements, kind: Kind) -> EncoderCost {
    EncoderCost::whole(elements.bytes(kind))
}
