//! One device's memory and the transfers to it.
//!
//! Counts of memory have other names: by who counts ([`DriverStats`](crate::device::DriverStats),
//! [`AllocatorStats`](crate::device::AllocatorStats)), and what a job may take of them is a
//! [`Budget`](crate::plan::Budget). In `framepack_jobs`, [`DeviceMemory`](framepack_jobs::DeviceMemory) and
//! [`TransformerMemory`](framepack_jobs::TransformerMemory) are parts of the report on a job's plan.

use std::rc::Rc;

use tch::Device;

use super::{
    options::{FreeSlots, MemoryOptions},
    transfer::Transfers,
    vram::Vram,
};

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
            transfers: Transfers::new(device, options.transfers, options.staging),
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

    pub(super) fn transfers(&self) -> &Transfers {
        &self.0.transfers
    }

    pub(super) fn poisons_slots(&self) -> bool {
        self.0.free_slots == FreeSlots::Poisoned
    }
}
