//! What the memory settings of a job did, from what was counted.

use framepack_jobs::{MemoryActs, MemoryUse};

use crate::{
    offload::{DynamicSwap, Memory, Moved},
    plan::{NO_DEVICE, Placement},
    settings::MemorySettings,
};

/// What `settings` did with `memory` and, if it is loaded, the transformer's blocks.
pub(super) fn memory_use<B>(
    memory: &Memory,
    settings: &MemorySettings,
    placement: &Placement,
    blocks: Option<&DynamicSwap<B>>,
) -> MemoryUse {
    if !memory.is_limited() {
        return MemoryUse::Inactive {
            reason: NO_DEVICE.to_owned(),
        };
    }
    let Moved {
        brought_bytes,
        streamed_bytes,
        offloaded_blocks,
        offloaded_bytes,
    } = memory.moved();
    let of_blocks = blocks.map_or(0, DynamicSwap::page_locked_bytes);
    MemoryUse::Acted(MemoryActs {
        preserved_bytes: placement.transformer.preserve_bytes,
        chunk_bytes: settings.load_chunk_bytes,
        largest_staging_bytes: memory.peak_transfer_bytes(),
        brought_bytes,
        streamed_bytes,
        backend: settings.backend.as_str().to_owned(),
        page_locked_bytes: memory.page_locked_bytes() + of_blocks,
        offload: settings.offloading.as_str().to_owned(),
        offloaded_blocks,
        offloaded_bytes,
        cache_clearings: memory.vram().cache_clearings(),
    })
}
