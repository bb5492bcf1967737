//! Storage types: how a tensor's values are stored, in files, on the host, in transit and on the device.
//!
//! Each type has a file here with what its bytes mean; [`Storage`] is the only place that chooses between them.

mod plain;
mod repacked;

use tch::{Device, Kind, Tensor};

pub(crate) use self::repacked::Repacked;

/// The type in which a tensor's values are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Storage {
    /// The numbers themselves, in a type that torch computes with.
    Plain(Kind),
}

impl Storage {
    /// Type of the numbers that it is made from.
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Plain(kind) => kind,
        }
    }

    /// Size of a tensor of `shape`.
    pub(super) fn bytes(self, shape: &[i64]) -> usize {
        match self {
            Self::Plain(kind) => plain::bytes(kind, shape),
        }
    }

    /// The bytes of `values`, which are of [`Self::kind`] on the CPU.
    pub(super) fn pack(self, values: &Tensor) -> Vec<u8> {
        match self {
            Self::Plain(_) => plain::pack(values),
        }
    }

    /// Writes `values`, of [`Self::kind`], to their place in a buffer, u8 on the same device.
    pub(super) fn pack_into(self, values: &Tensor, place: &Tensor) {
        match self {
            Self::Plain(kind) => plain::pack_into(kind, values, place),
        }
    }

    /// Bytes of this type as those of the type `wanted`: themselves if it is the same.
    pub(super) fn repack(self, bytes: &[u8], wanted: Self) -> Repacked<'_> {
        let (Self::Plain(from), Self::Plain(to)) = (self, wanted);
        if from == to {
            Repacked::there(bytes)
        } else {
            Repacked::converted(bytes, from, to)
        }
    }

    /// The numbers in `bytes`, a tensor of `shape`, copied to where and to what they are wanted as.
    pub(super) fn read(self, bytes: &[u8], shape: &[i64], wanted: (Kind, Device)) -> Tensor {
        match self {
            Self::Plain(kind) => plain::read(kind, bytes, shape, wanted),
        }
    }

    /// The tensor of `shape` that a layer computes with, from its place in a buffer (u8): what is packed is unpacked
    /// here and nowhere else. Plain numbers are used in place.
    pub(super) fn unpack(self, place: &Tensor, shape: &[i64]) -> Tensor {
        match self {
            Self::Plain(kind) => plain::view(kind, place, shape),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: [i64; 2] = [3, 5];
    const KINDS: [Kind; 3] = [Kind::Float, Kind::BFloat16, Kind::Half];

    /// Numbers that every type holds exactly.
    fn numbers(kind: Kind) -> Tensor {
        Tensor::arange(15, (kind, Device::Cpu)).view(SHAPE)
    }

    #[test]
    fn packed_values_come_back_as_they_were() {
        for kind in KINDS {
            let (storage, values) = (Storage::Plain(kind), numbers(kind));
            let bytes = storage.pack(&values);
            assert_eq!(bytes.len(), storage.bytes(&SHAPE));
            assert_eq!(storage.read(&bytes, &SHAPE, (kind, Device::Cpu)), values);

            let place = Tensor::zeros([bytes.len() as i64], (Kind::Uint8, Device::Cpu));
            storage.pack_into(&values, &place);
            assert_eq!(place, Tensor::from_slice(&bytes));
            assert_eq!(storage.unpack(&place, &SHAPE), values);
        }
    }

    #[test]
    fn plain_numbers_are_used_where_they_are() {
        let storage = Storage::Plain(Kind::Float);
        let place = Tensor::zeros([60], (Kind::Uint8, Device::Cpu));
        let seen = storage.unpack(&place, &SHAPE);
        storage.pack_into(&numbers(Kind::Float), &place);
        assert_eq!(seen, numbers(Kind::Float));
    }

    #[test]
    fn another_type_is_converted_and_the_same_borrowed() {
        for (from, to) in KINDS.iter().flat_map(|from| KINDS.map(|to| (*from, to))) {
            let [from, to] = [from, to].map(Storage::Plain);
            let bytes = from.pack(&numbers(from.kind()));
            let repacked = from.repack(&bytes, to);
            let expected = to.pack(&numbers(to.kind()));
            assert_eq!(repacked.as_there().is_some(), from == to);
            assert_eq!(repacked.len(), expected.len());
            // Any run of whole numbers by itself: of all, and in the middle.
            let size = to.bytes(&[1]);
            for run in [0..expected.len(), 4 * size..9 * size] {
                let mut written = vec![0; run.len()];
                repacked.write(run.start, &mut written);
                assert_eq!(written, expected[run], "{from:?} {to:?}");
            }
        }
    }

    /// More than what is copied at once.
    #[test]
    fn a_large_tensor_is_read_as_it_is_stored() {
        let count = (17 << 20) / 4 + 3;
        let values = Tensor::arange(count, (Kind::Float, Device::Cpu)).remainder(251);
        let storage = Storage::Plain(Kind::Float);
        let bytes = storage.pack(&values);
        for kind in KINDS {
            let read = storage.read(&bytes, &[1, count], (kind, Device::Cpu));
            assert_eq!(read, values.to_kind(kind).view([1, count]), "{kind:?}");
        }
        assert_eq!(
            storage.read(&[], &[0], (Kind::Half, Device::Cpu)).size(),
            [0]
        );
    }
}
