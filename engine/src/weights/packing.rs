//! Several tensors in one flat buffer, so that one transfer moves a whole block of a model.
//!
//! The block is built on the buffer by its ordinary `load`: the tensors that it gets are views. Filling the
//! buffer again gives it other weights, so that a few buffers serve all blocks of a model.

use std::collections::BTreeMap;

use tch::{Kind, Tensor};

/// Tensors begin at multiples of this: more than any kernel of torch asks for.
const ALIGNMENT_BYTES: usize = 256;

/// Where the tensors of one block lie in a flat buffer, by their names below the block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packing {
    kind: Kind,
    parts: BTreeMap<String, PackedTensor>,
    bytes: usize,
}

/// One tensor's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PackedTensor {
    pub(crate) shape: Vec<i64>,
    pub(crate) offset_bytes: usize,
    pub(crate) bytes: usize,
}

impl Packing {
    /// For tensors of these names and shapes, as `kind`.
    pub(super) fn new(kind: Kind, shapes: BTreeMap<String, Vec<i64>>) -> Self {
        let mut bytes = 0;
        let parts = shapes.into_iter().map(|(name, shape)| {
            let elements: i64 = shape.iter().product();
            let part = PackedTensor {
                shape,
                offset_bytes: bytes,
                bytes: elements as usize * kind.elt_size_in_bytes(),
            };
            bytes = (bytes + part.bytes).next_multiple_of(ALIGNMENT_BYTES);
            (name, part)
        });
        let parts = parts.collect();
        Self { kind, parts, bytes }
    }

    /// Type of the tensors.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Size of the buffer.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Names and places, in the order of the buffer.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (&str, &PackedTensor)> {
        self.parts.iter().map(|(name, part)| (name.as_str(), part))
    }

    /// The tensor `name` as a view of `buffer`, (at least [`Self::bytes`]) u8.
    pub(super) fn view(&self, name: &str, buffer: &Tensor) -> Tensor {
        let part = &self.parts[name];
        buffer
            .narrow(0, part.offset_bytes as i64, part.bytes as i64)
            .view_dtype(self.kind)
            .view(part.shape.as_slice())
    }
}
