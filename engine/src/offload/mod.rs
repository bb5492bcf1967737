//! Memory for weights: what is on the device, what waits on the host, and how the one becomes the other.
//!
//! Weights are immutable. Offloading drops a device copy; nothing is ever copied from the device to the host.
//! Model code never mentions placement, and this module never mentions what a block computes. They meet in
//! one call, [`DynamicSwap::for_each`]: for each block, in order, here it is on the device.

mod arena;
mod memory;
mod options;
mod original;
mod places;
mod residency;
mod stages;
mod swap;
#[cfg(test)]
mod tests;
mod transfer;
mod turns;
mod vram;

pub use self::{
    memory::Memory,
    options::{FreeSlots, MemoryOptions, Staging, TransferOptions},
    original::{
        Loaded, load_model_chunked, move_model_to_device_with_memory_preservation,
        offload_model_from_device_for_memory_preservation,
    },
    residency::{Passes, Residency},
    swap::DynamicSwap,
    vram::Vram,
};
pub(crate) use self::{memory::Moved, residency::evenly_spread, stages::DEFAULT_CHUNK_BYTES};
pub use framepack_jobs::Offloading;
