//! The transformer as it is loaded, and where its blocks were put.

use std::path::PathBuf;

use super::hoist::HoistedCache;
use crate::{error::Error, plan::Split, transformer::PackedTransformer};

/// The transformer, and what belongs to these weights alone.
#[derive(Debug)]
pub(super) struct LoadedTransformer {
    pub(super) folder: PathBuf,
    pub(super) model: PackedTransformer,
    pub(super) hoisted: HoistedCache,
    /// Where its blocks were put last.
    pub(super) placed: Option<Split>,
}

impl LoadedTransformer {
    /// Puts the blocks where `plan` says, as far as they are not there. Where only the host's memory is another, those
    /// on the device stay.
    pub(super) fn place(&mut self, plan: &Split) -> Result<(), Error> {
        let blocks = self.model.blocks();
        let before = self.placed.take();
        let stays = |before: &Split| before.residency == plan.residency;
        let stays = before.as_ref().is_some_and(stays);
        if !stays {
            blocks.place(plan.residency.clone());
        }
        if !stays || before.is_some_and(|before| before.pinned != plan.pinned) {
            blocks.fill_host(&plan.pinned)?;
        }
        self.placed = Some(plan.clone());
        Ok(())
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

    /// Only what says where blocks are.
    fn plan(residency: &Residency, pinned: Vec<bool>) -> Split {
        Split {
            residency: residency.clone(),
            pinned,
            slot_bytes: 0,
            preserve_bytes: 0,
            resident_bytes: 0,
            streamed_bytes: 0,
            arena_bytes: 0,
            staging_bytes: 0,
            staged_bytes: 0,
            peak_bytes: 0,
        }
    }

    #[test]
    fn another_host_budget_takes_effect_and_leaves_the_device_alone() {
        let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures");
        let folder = PathBuf::from(format!("{fixtures}/bundle/transformer"));
        let source = ModelSource::Folder(folder.clone());
        let memory = Memory::new(Device::Cpu, MemoryOptions::default());
        let model = PackedTransformer::open(&source, &memory, Kind::Float).unwrap();
        let mut transformer = LoadedTransformer {
            folder,
            model,
            hoisted: HoistedCache::default(),
            placed: None,
        };
        let bytes = transformer.model.blocks().block_bytes();
        let residency = Residency::first(bytes.len(), 1, 1);
        let pinned_from = |first| (0..bytes.len()).map(|number| number >= first).collect();
        let first_plan = plan(&residency, pinned_from(bytes.len()));
        transformer.place(&first_plan).unwrap();
        transformer.model.blocks().acquire().unwrap();
        let device_bytes = transformer.model.blocks().device_bytes();
        assert!(device_bytes > 0);
        for first in [1, bytes.len() - 1, bytes.len(), 2] {
            let plan = plan(&residency, pinned_from(first));
            transformer.place(&plan).unwrap();
            let blocks = transformer.model.blocks();
            blocks.wait_for_host();
            let pinned_bytes: u64 = bytes[first..].iter().sum();
            assert_eq!(blocks.host_bytes(), pinned_bytes, "from {first}");
            assert_eq!(blocks.device_bytes(), device_bytes, "from {first}");
        }
    }
}
