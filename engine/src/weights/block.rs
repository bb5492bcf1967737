//! One block's weights where they are stored, as the bytes of its packing.

use std::{borrow::Cow, sync::Arc};

use tch::{Device, Kind, Tensor};

use super::{
    checkpoint::{Checkpoint, Origin, Weights, join},
    error::WeightsError,
    packing::{PackedTensor, Packing},
    synthesis::synthesise,
};

/// The stored weights of one block. Plain data: a thread beside torch's may read it.
#[derive(Debug, Clone)]
pub(crate) struct BlockWeights {
    packing: Arc<Packing>,
    /// The block's place in its checkpoint.
    path: String,
    origin: Origin,
}

impl BlockWeights {
    /// A packing for the tensors that `load` takes from the place it is given, as `kind`.
    pub(crate) fn packing<M>(
        kind: Kind,
        load: impl FnOnce(&Weights<'_>) -> Result<M, WeightsError>,
    ) -> Result<Packing, WeightsError> {
        let checkpoint = Checkpoint::shapes();
        load(&checkpoint.weights(Device::Cpu, kind))?;
        Ok(Packing::new(kind, checkpoint.taken()))
    }

    /// Names the tensors of `packing` below `w`: all are there, in the right shapes. Nothing is read.
    pub(crate) fn declare(w: &Weights<'_>, packing: Arc<Packing>) -> Result<Self, WeightsError> {
        for (name, part) in packing.parts() {
            w.declare(name, &part.shape)?;
        }
        Ok(Self {
            packing,
            path: w.path().to_owned(),
            origin: w.origin(),
        })
    }

    /// Size of the packed block.
    pub(crate) fn bytes(&self) -> usize {
        self.packing.bytes()
    }

    /// Each tensor's offset in the buffer and its bytes: of the mapped file itself where it holds the wanted
    /// type, else made here.
    pub(crate) fn parts(
        &self,
    ) -> impl Iterator<Item = Result<(usize, Cow<'_, [u8]>), WeightsError>> {
        self.packing
            .parts()
            .map(|(name, part)| Ok((part.offset_bytes, self.part(name, part)?)))
    }

    fn part(&self, name: &str, part: &PackedTensor) -> Result<Cow<'_, [u8]>, WeightsError> {
        let (name, kind) = (join(&self.path, name), self.packing.kind());
        match &self.origin {
            Origin::Files(shards) => {
                let stored = shards.stored(&name, &part.shape)?;
                if stored.kind == kind {
                    return Ok(Cow::Borrowed(stored.bytes));
                }
                Ok(Cow::Owned(stored.converted(kind)))
            }
            Origin::Synthesised { seed } => Ok(Cow::Owned(bytes_of(&synthesise(
                *seed,
                &name,
                &part.shape,
                (kind, Device::Cpu),
            )))),
            Origin::Shapes => Ok(Cow::Owned(vec![0; part.bytes])),
        }
    }

    /// Whether the weights are made from a seed.
    pub(crate) fn is_synthesised(&self) -> bool {
        matches!(self.origin, Origin::Synthesised { .. })
    }

    /// Makes synthesised weights right on the device, in `buffer`; false where they are read from files.
    pub(crate) fn synthesise_into(&self, buffer: &Tensor) -> bool {
        let Origin::Synthesised { seed } = &self.origin else {
            return false;
        };
        for (name, part) in self.packing.parts() {
            let full_name = join(&self.path, name);
            let options = (self.packing.kind(), buffer.device());
            let weights = synthesise(*seed, &full_name, &part.shape, options);
            self.packing.view(name, buffer).copy_(&weights);
        }
        true
    }

    /// Builds a block whose tensors are views of `buffer`, u8.
    pub(crate) fn build<B>(
        &self,
        buffer: &Tensor,
        load: impl FnOnce(&Weights<'_>) -> Result<B, WeightsError>,
    ) -> B {
        let packed = Checkpoint::packed(self.packing.clone(), buffer.shallow_clone());
        let block = load(&packed.weights(buffer.device(), self.packing.kind()));
        block.expect("the packing was recorded from this load")
    }
}

fn bytes_of(tensor: &Tensor) -> Vec<u8> {
    let mut bytes = vec![0; tensor.numel() * tensor.kind().elt_size_in_bytes()];
    tensor.copy_data_u8(&mut bytes, tensor.numel());
    bytes
}
