//! One block's weights where they are stored, as the bytes of its packing.

use std::sync::Arc;

use tch::{Device, Kind, Tensor};

use super::{
    error::WeightsError,
    loading::Loading,
    packing::Packing,
    source::TensorSource,
    storage::Repacked,
    view::{Packed, Weights, join},
};

/// The stored weights of one block. Plain data: a thread beside torch's may read it.
#[derive(Debug, Clone)]
pub(crate) struct BlockWeights {
    packing: Arc<Packing>,
    /// The block's place in its component.
    path: String,
    source: TensorSource,
}

impl BlockWeights {
    /// A packing for the tensors that `load` takes from the place it is given, as `kind`.
    pub(crate) fn packing<M>(
        kind: Kind,
        load: impl FnOnce(&Weights<'_>) -> Result<M, WeightsError>,
    ) -> Result<Packing, WeightsError> {
        let loading = Loading::shapes();
        load(&loading.weights(Device::Cpu, kind))?;
        Ok(Packing::new(kind, loading.taken()))
    }

    /// Names the tensors of `packing` below `w`: all are there, in the right shapes. Nothing is read.
    pub(crate) fn declare(w: &Weights<'_>, packing: Arc<Packing>) -> Result<Self, WeightsError> {
        for (name, part) in packing.parts() {
            w.declare(name, &part.shape)?;
        }
        Ok(Self {
            packing,
            path: w.full_path(),
            source: w.source().clone(),
        })
    }

    /// Size of the packed block.
    pub(crate) fn bytes(&self) -> usize {
        self.packing.bytes()
    }

    /// Each tensor's offset in the buffer and its bytes: of the mapped file, converted where they are written if it holds
    /// another type, or made here.
    pub(crate) fn parts(
        &self,
    ) -> impl Iterator<Item = Result<(usize, Repacked<'_>), WeightsError>> {
        self.packing.parts().map(|(name, part)| {
            let name = join(&self.path, name);
            let bytes = self.source.bytes(&name, &part.shape, part.storage)?;
            Ok((part.offset_bytes, bytes))
        })
    }

    /// Whether the weights are made from a seed.
    pub(crate) fn is_synthesised(&self) -> bool {
        matches!(self.source, TensorSource::Synthesised { .. })
    }

    /// Makes synthesised weights right on the device, in `buffer`; false where they are read from files.
    pub(crate) fn synthesise_into(&self, buffer: &Tensor) -> bool {
        self.packing.parts().all(|(name, part)| {
            let (name, place) = (join(&self.path, name), part.place(buffer));
            (self.source).make_in(&name, &part.shape, (part.storage, &place))
        })
    }

    /// Builds a block whose tensors are views of `buffer`, u8.
    pub(crate) fn build<B>(
        &self,
        buffer: &Tensor,
        load: impl FnOnce(&Weights<'_>) -> Result<B, WeightsError>,
    ) -> B {
        let packed = Packed {
            packing: &self.packing,
            buffer,
            path: &self.path,
        };
        let block = load(&Weights::of_block(&self.source, packed));
        block.expect("the packing was recorded from this load")
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{layout::Layout, save::save_synthesised},
        *,
    };

    const SEED: u64 = 5;
    const PATH: &str = "blocks.1";
    const KIND: Kind = Kind::BFloat16;

    fn load(w: &Weights<'_>) -> Result<Vec<Tensor>, WeightsError> {
        Ok(vec![
            w.pp("attn").get("weight", &[7, 9])?,
            w.pp("norm").get("weight", &[7])?,
        ])
    }

    fn block(loading: &Loading) -> BlockWeights {
        let packing = BlockWeights::packing(KIND, load).unwrap();
        let w = loading.weights(Device::Cpu, KIND).pp(PATH);
        BlockWeights::declare(&w, Arc::new(packing)).unwrap()
    }

    fn buffer(block: &BlockWeights) -> Tensor {
        Tensor::zeros([block.bytes() as i64], (Kind::Uint8, Device::Cpu))
    }

    /// A buffer with what is read of the block, and whether all of that was borrowed from mapped files.
    fn filled(block: &BlockWeights) -> (Tensor, bool) {
        let (buffer, mut is_borrowed) = (buffer(block), true);
        for part in block.parts() {
            let (offset, bytes) = part.unwrap();
            let place = buffer.narrow(0, offset as i64, bytes.len() as i64);
            let mut written = vec![0; bytes.len()];
            bytes.write(0, &mut written);
            place.shallow_clone().copy_(&Tensor::from_slice(&written));
            is_borrowed &= bytes.as_there().is_some() && bytes.made_bytes() == 0;
        }
        (buffer, is_borrowed)
    }

    /// The folder of a component that holds, as f32, what `SEED` stands for.
    fn files() -> tempfile::TempDir {
        let loading = Loading::synthesised(SEED);
        load(&loading.weights(Device::Cpu, Kind::Float).pp(PATH)).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let file = format!("{}.safetensors", Layout::DIFFUSERS.base);
        save_synthesised(SEED, &loading.taken(), &dir.path().join(file)).unwrap();
        dir
    }

    #[test]
    fn a_block_on_its_buffer_is_the_one_that_is_read_from_its_source() {
        let dir = files();
        let stored = Loading::open(dir.path(), &Layout::DIFFUSERS).unwrap();
        for loading in [stored, Loading::synthesised(SEED), Loading::shapes()] {
            let read = load(&loading.weights(Device::Cpu, KIND).pp(PATH)).unwrap();
            let block = block(&loading);
            assert_eq!(block.build(&filled(&block).0, load), read);

            let made = buffer(&block);
            assert_eq!(block.synthesise_into(&made), block.is_synthesised());
            if block.is_synthesised() {
                assert_eq!(block.build(&made, load), read);
            }
        }
    }

    #[test]
    fn bytes_are_those_of_the_files_where_the_type_is_the_same() {
        let dir = files();
        let loading = Loading::open(dir.path(), &Layout::DIFFUSERS).unwrap();
        for (kind, expected) in [(Kind::Float, true), (KIND, false)] {
            let packing = BlockWeights::packing(kind, load).unwrap();
            let w = loading.weights(Device::Cpu, kind).pp(PATH);
            let block = BlockWeights::declare(&w, Arc::new(packing)).unwrap();
            assert_eq!(filled(&block).1, expected, "{kind:?}");
        }
    }

    #[test]
    fn declared_tensors_count_as_taken_and_are_checked() {
        let dir = files();
        let loading = Loading::open(dir.path(), &Layout::DIFFUSERS).unwrap();
        assert!(loading.finish().is_err());
        block(&loading);
        loading.finish().unwrap();

        let packing = BlockWeights::packing(KIND, |w| w.pp("norm").get("weight", &[8])).unwrap();
        let w = loading.weights(Device::Cpu, KIND).pp(PATH);
        let error = BlockWeights::declare(&w, Arc::new(packing)).unwrap_err();
        assert!(
            error.to_string().contains("blocks.1.norm.weight"),
            "{error}"
        );
    }

    #[test]
    fn a_block_in_a_block_is_read_from_the_same_source() {
        let loading = Loading::synthesised(SEED);
        let load_inner = |w: &Weights<'_>| w.get("weight", &[7, 9]);
        let load_outer = |w: &Weights<'_>| {
            let packing = BlockWeights::packing(w.kind(), load_inner)?;
            BlockWeights::declare(&w.pp("attn"), Arc::new(packing))
        };
        let outer = block(&loading);
        let inner = outer.build(&filled(&outer).0, load_outer);

        let w = loading.weights(Device::Cpu, KIND).pp(PATH).pp("attn");
        let expected = load_inner(&w).unwrap();
        assert_eq!(inner.build(&filled(&inner).0, load_inner), expected);
    }
}
