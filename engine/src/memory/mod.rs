//! Memory for weights: what is on the device, what waits on the host, and how the one becomes the other.
//!
//! Weights are immutable. Offloading drops a device copy; nothing is ever copied from the device to the host.
//! Model code never mentions placement, and this module never mentions what a block computes. They meet in
//! one call, [`DynamicSwap::for_each`]: for each block, in order, here it is on the device.

pub mod activations;
mod arena;
pub mod error;
pub mod phases;
mod placement;
mod places;
pub mod plan;
pub mod planner;
mod preserve;
pub mod probe;
mod relief;
mod residency;
pub mod survey;
mod swap;
#[cfg(test)]
mod tests;
mod transfer;
mod vram;

use std::rc::Rc;

use tch::Device;

pub(crate) use self::placement::Placement;
use self::transfer::Transfers;
pub use self::{
    preserve::{
        Loaded, Offloading, load_model_chunked, move_model_to_device_with_memory_preservation,
        offload_model_from_device_for_memory_preservation,
    },
    relief::{Relief, Residents},
    residency::{Passes, Residency},
    swap::DynamicSwap,
    transfer::MemoryV2,
    vram::Vram,
};

/// What departs from the defaults.
#[derive(Debug, Clone, Copy, Default)]
pub struct MemoryOptions {
    /// How weights travel.
    pub memory_v2: MemoryV2,
    /// Most device memory that weights may take.
    pub capacity_bytes: Option<u64>,
    /// What a slot holds between two blocks.
    pub free_slots: FreeSlots,
    /// What passes through the two buffers of the transfers.
    pub staging: Staging,
}

/// Which transfers of what is not page-locked go through the transfers' two buffers, chunk by chunk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Staging {
    /// Those to a device that fetches them by itself.
    #[default]
    Streams,
    /// Those on the CPU too, where it only costs time. For tests of the chunks.
    Always,
}

/// What a slot holds when its block has been computed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FreeSlots {
    /// The block, which may be wanted again.
    #[default]
    Kept,
    /// NaN, which shows in the results if anything reads it. For tests of the streams' order.
    Poisoned,
}

/// The memory of one device and the transfers to it. Cheap to clone: the clones are the same memory.
#[derive(Debug, Clone)]
pub struct Memory(Rc<Shared>);

#[derive(Debug)]
struct Shared {
    vram: Rc<Vram>,
    transfers: Transfers,
    free_slots: FreeSlots,
}

impl Memory {
    /// The memory of `device`.
    pub fn new(device: Device, options: MemoryOptions) -> Self {
        Self(Rc::new(Shared {
            vram: Vram::new(device, options.capacity_bytes),
            transfers: Transfers::new(device, options.memory_v2, options.staging),
            free_slots: options.free_slots,
        }))
    }

    /// The device.
    pub fn device(&self) -> Device {
        self.vram().device()
    }

    /// The device's memory.
    pub fn vram(&self) -> &Rc<Vram> {
        &self.0.vram
    }

    /// Host memory that the transfers use themselves.
    pub fn staging_bytes(&self) -> u64 {
        self.0.transfers.host_bytes()
    }

    /// Most host memory that a transfer took so far: the chunks, and a tensor that is stored in another type.
    pub fn peak_transfer_bytes(&self) -> u64 {
        self.0.transfers.peak_host_bytes()
    }

    /// Sends what does not come from page-locked memory in chunks of this size.
    pub fn set_chunk_bytes(&self, bytes: usize) {
        self.0.transfers.set_chunk_bytes(bytes);
    }

    fn transfers(&self) -> &Transfers {
        &self.0.transfers
    }

    fn poisons_slots(&self) -> bool {
        self.0.free_slots == FreeSlots::Poisoned
    }
}
