//! Sources: where the values of a component's tensors come from.
//!
//! Every value of a model comes into being here: in [`TensorSource::read`] if a layer keeps the tensor, in
//! [`TensorSource::bytes`] (or, right on the device, [`TensorSource::make_in`]) if it is part of a block.

mod synthesis;

use std::sync::Arc;

use tch::{Device, Kind, Tensor};

pub(super) use self::synthesis::synthesise;
use super::{
    error::WeightsError,
    files::Shards,
    storage::{Repacked, Storage},
};

/// What the values of one component's tensors come from. Names are those in the whole component.
#[derive(Debug, Clone)]
pub(super) enum TensorSource {
    /// Its files.
    Files(Arc<Shards>),
    /// A seed: every name exists, in whatever shape is asked for.
    Synthesised { seed: u64 },
    /// Nothing: as with a seed, and every value is zero.
    Shapes,
}

impl TensorSource {
    /// Checks that the tensor `name` is there in this shape, without reading it.
    pub(super) fn check(&self, name: &str, shape: &[i64]) -> Result<(), WeightsError> {
        match self {
            Self::Files(shards) => shards.stored(name, shape).map(drop),
            Self::Synthesised { .. } | Self::Shapes => Ok(()),
        }
    }

    /// The tensor `name`, as the type and on the device that are wanted. Of shapes alone it takes no memory.
    pub(super) fn read(
        &self,
        name: &str,
        shape: &[i64],
        wanted: (Kind, Device),
    ) -> Result<Tensor, WeightsError> {
        Ok(match self {
            Self::Files(shards) => {
                let stored = shards.stored(name, shape)?;
                stored.storage.read(stored.bytes, shape, wanted)
            }
            Self::Synthesised { seed } => synthesise(*seed, name, shape, wanted),
            Self::Shapes => Tensor::zeros([1], wanted).expand(shape, false),
        })
    }

    /// The bytes of the tensor `name` as `storage`: of the mapped file, or made here.
    pub(super) fn bytes(
        &self,
        name: &str,
        shape: &[i64],
        storage: Storage,
    ) -> Result<Repacked<'_>, WeightsError> {
        Ok(match self {
            Self::Files(shards) => {
                let stored = shards.stored(name, shape)?;
                stored.storage.repack(stored.bytes, storage)
            }
            Self::Synthesised { seed } => {
                let values = synthesise(*seed, name, shape, (storage.kind(), Device::Cpu));
                Repacked::there(storage.pack(&values))
            }
            Self::Shapes => Repacked::there(vec![0; storage.bytes(shape)]),
        })
    }

    /// Makes the tensor `name` as `storage` in its place of a buffer, on the buffer's device. False, and nothing is
    /// done, where values are not made from a seed.
    pub(super) fn make_in(
        &self,
        name: &str,
        shape: &[i64],
        (storage, place): (Storage, &Tensor),
    ) -> bool {
        match self {
            Self::Synthesised { seed } => {
                let values = synthesise(*seed, name, shape, (storage.kind(), place.device()));
                storage.pack_into(&values, place);
                true
            }
            Self::Files(_) | Self::Shapes => false,
        }
    }

    /// Checks that no tensor is left over that neither `is_known` nor is known to be unused.
    pub(super) fn check_used(&self, is_known: impl Fn(&str) -> bool) -> Result<(), WeightsError> {
        match self {
            Self::Files(shards) => shards.check_used(is_known),
            Self::Synthesised { .. } | Self::Shapes => Ok(()),
        }
    }
}
