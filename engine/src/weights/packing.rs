//! Several tensors in one flat buffer, so that one transfer moves a whole block of a model.
//!
//! The block is built on the buffer by its ordinary `load`: the tensors that it gets are views. Filling the
//! buffer again gives it other weights, so that a few buffers serve all blocks of a model.

use std::collections::BTreeMap;

use tch::{Kind, Tensor};

use super::storage::Storage;

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
pub(super) struct PackedTensor {
    pub(super) shape: Vec<i64>,
    pub(super) storage: Storage,
    pub(super) offset_bytes: usize,
}

impl Packing {
    /// For tensors of these names and shapes, as `kind`.
    pub(super) fn new(kind: Kind, shapes: BTreeMap<String, Vec<i64>>) -> Self {
        let mut bytes = 0;
        let parts = shapes.into_iter().map(|(name, shape)| {
            let part = PackedTensor {
                shape,
                storage: Storage::Plain(kind),
                offset_bytes: bytes,
            };
            bytes = (bytes + part.bytes()).next_multiple_of(ALIGNMENT_BYTES);
            (name, part)
        });
        let parts = parts.collect();
        Self { kind, parts, bytes }
    }

    /// Type of the tensors that layers get.
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Size of the buffer.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Names and places, in the order of the buffer.
    pub(super) fn parts(&self) -> impl Iterator<Item = (&str, &PackedTensor)> {
        self.parts.iter().map(|(name, part)| (name.as_str(), part))
    }

    /// The tensor `name` for a layer, out of `buffer`, (at least [`Self::bytes`]) u8.
    pub(super) fn tensor(&self, name: &str, buffer: &Tensor) -> Tensor {
        let part = &self.parts[name];
        part.storage.unpack(&part.place(buffer), &part.shape)
    }
}

impl PackedTensor {
    fn bytes(&self) -> usize {
        self.storage.bytes(&self.shape)
    }

    /// Its bytes in `buffer`.
    pub(super) fn place(&self, buffer: &Tensor) -> Tensor {
        buffer.narrow(0, self.offset_bytes as i64, self.bytes() as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_lie_one_after_the_other_in_the_order_of_their_names() {
        let shapes = [("c", vec![2, 64]), ("a", vec![3]), ("b", vec![129])];
        let shapes = shapes.map(|(name, shape)| (name.to_owned(), shape));
        let packing = Packing::new(Kind::BFloat16, BTreeMap::from(shapes));
        let places = packing
            .parts()
            .map(|(name, part)| (name, part.offset_bytes));
        // 6 bytes, 258 bytes, 256 bytes.
        assert_eq!(
            places.collect::<Vec<_>>(),
            [("a", 0), ("b", 256), ("c", 768)]
        );
        assert_eq!(packing.bytes(), 1024);
    }
}
