//! The transformer as it is loaded, and where its blocks were put.

use std::path::PathBuf;

use framepack_jobs::{MemoryBackend, Offloading};

use super::hoist::HoistedCache;
use crate::{
    error::Error,
    offload::offload_model_from_device_for_memory_preservation,
    plan::{Placement, Split},
    transformer::PackedTransformer,
};

/// The transformer, and what belongs to these weights alone.
#[derive(Debug)]
pub(super) struct LoadedTransformer {
    pub(super) folder: PathBuf,
    pub(super) model: PackedTransformer,
    pub(super) hoisted: HoistedCache,
    /// Where its blocks were put last, and how they travel there.
    pub(super) placed: Option<(Split, MemoryBackend)>,
}

impl LoadedTransformer {
    /// Puts the blocks where `plan` says, as far as they are not there. Where only the host's memory is another, those
    /// on the device stay.
    pub(super) fn place(&mut self, plan: &Split, backend: MemoryBackend) -> Result<(), Error> {
        let blocks = self.model.blocks();
        let before = self.placed.take();
        let before = before.filter(|(before, _)| before.residency == plan.residency);
        if before.is_none() {
            blocks.place(plan.residency.clone());
        }
        let wait_as_before =
            |(before, how): &(Split, _)| before.pinned == plan.pinned && *how == backend;
        if !before.as_ref().is_some_and(wait_as_before) {
            blocks.fill_host(&plan.pinned)?;
        }
        self.placed = Some((plan.clone(), backend));
        Ok(())
    }

    /// Makes room for decoding: blocks leave the device as far as they have to, or further if `offloading` says so. What
    /// left comes back when it is needed.
    pub(super) fn make_room(
        &self,
        placement: &Placement,
        offloading: Offloading,
    ) -> Result<(), Error> {
        let (blocks, bytes) = (self.model.blocks(), placement.decoding_bytes);
        let offload = || {
            offload_model_from_device_for_memory_preservation(blocks, bytes, offloading);
        };
        if offloading == Offloading::Aggressive {
            offload(); // also where there is room enough
        }
        if placement.is_roomy {
            return Ok(());
        }
        let evictions: [Box<dyn FnOnce()>; 2] =
            [Box::new(offload), Box::new(|| evict_weights(&self.model))];
        let vram = blocks.memory().vram();
        vram.force_free_vram(bytes, evictions).map(drop)
    }

    /// Drops everything that is on the device.
    pub(super) fn leave_device(&mut self) {
        self.hoisted = HoistedCache::default();
        evict_weights(&self.model);
    }
}

/// Drops all device copies of a transformer's weights. They come back when they are needed.
pub(super) fn evict_weights(transformer: &PackedTransformer) {
    transformer.conditioner().evict_all();
    transformer.modulations().evict_all();
    transformer.blocks().evict_all();
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;
    use crate::{
        offload::{Memory, MemoryOptions, Residency},
        weights::ModelSource,
    };

    /// The tiny one.
    fn opened() -> LoadedTransformer {
        let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures");
        let folder = PathBuf::from(format!("{fixtures}/bundle/transformer"));
        let source = ModelSource::Folder(folder.clone());
        let memory = Memory::new(Device::Cpu, MemoryOptions::default());
        LoadedTransformer {
            model: PackedTransformer::open(&source, &memory, Kind::Float).unwrap(),
            folder,
            hoisted: HoistedCache::default(),
            placed: None,
        }
    }

    /// Only what says where blocks are.
    fn plan(residency: &Residency, pinned: Vec<bool>) -> Split {
        Split {
            residency: residency.clone(),
            pinned,
            slot_bytes: 0,
            preserve_bytes: 0,
            wanted_bytes: None,
            resident_bytes: 0,
            streamed_bytes: 0,
            arena_bytes: 0,
            staging_bytes: 0,
            staged_bytes: 0,
            peak_bytes: 0,
        }
    }

    #[test]
    fn more_preserved_memory_takes_effect_on_a_warm_model() {
        let mut transformer = opened();
        let blocks = transformer.model.blocks().len();
        let v2 = MemoryBackend::V2;
        let all = plan(&Residency::all(blocks), vec![false; blocks]);
        transformer.place(&all, v2).unwrap();
        transformer.model.blocks().for_each(|_, _| {});
        let bytes = transformer.model.blocks().block_bytes();
        let all_bytes = transformer.model.blocks().device_bytes();
        assert_eq!(all_bytes, bytes.iter().sum::<u64>());
        // As a job's plan has it that keeps more free.
        let few = plan(&Residency::interleaved(blocks, 1, 1), vec![false; blocks]);
        transformer.place(&few, v2).unwrap();
        transformer.model.blocks().for_each(|_, _| {});
        let few_bytes = transformer.model.blocks().device_bytes();
        let largest = *bytes.iter().max().unwrap();
        assert!(
            few_bytes <= 2 * largest && few_bytes < all_bytes,
            "{few_bytes}"
        );
        transformer.place(&all, v2).unwrap();
        transformer.model.blocks().for_each(|_, _| {});
        assert_eq!(transformer.model.blocks().device_bytes(), all_bytes);
    }

    #[test]
    fn another_host_budget_takes_effect_and_leaves_the_device_alone() {
        let mut transformer = opened();
        let bytes = transformer.model.blocks().block_bytes();
        let residency = Residency::first(bytes.len(), 1, 1);
        let pinned_from = |first| (0..bytes.len()).map(|number| number >= first).collect();
        let first_plan = plan(&residency, pinned_from(bytes.len()));
        let v2 = MemoryBackend::V2;
        transformer.place(&first_plan, v2).unwrap();
        transformer.model.blocks().acquire().unwrap();
        let device_bytes = transformer.model.blocks().device_bytes();
        assert!(device_bytes > 0);
        for first in [1, bytes.len() - 1, bytes.len(), 2] {
            let plan = plan(&residency, pinned_from(first));
            transformer.place(&plan, v2).unwrap();
            let blocks = transformer.model.blocks();
            blocks.wait_for_host();
            let pinned_bytes: u64 = bytes[first..].iter().sum();
            assert_eq!(blocks.host_bytes(), pinned_bytes, "from {first}");
            assert_eq!(blocks.device_bytes(), device_bytes, "from {first}");
        }
    }
}
