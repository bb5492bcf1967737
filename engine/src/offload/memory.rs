//! One device's memory and the transfers to it.
//!
//! Counts of memory have other names: by who counts ([`DriverStats`](crate::device::DriverStats),
//! [`AllocatorStats`](crate::device::AllocatorStats)), and what a job may take of them is a
//! [`Budget`](crate::plan::Budget). In `framepack_jobs`, [`DeviceMemory`](framepack_jobs::DeviceMemory) and
//! [`TransformerMemory`](framepack_jobs::TransformerMemory) are parts of the report on a job's plan.

use std::{cell::Cell, rc::Rc};

use framepack_jobs::MemoryBackend;
use tch::Device;

use super::{
    options::{FreeSlots, MemoryOptions, TransferOptions},
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
    moved: Cell<Moved>,
}

/// What went to the device and what left it, since it was counted from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    /// Blocks that were brought.
    pub(crate) brought_bytes: u64,
    /// Of these, what passed through slots.
    pub(crate) streamed_bytes: u64,
    /// Blocks that made room for something else …
    pub(crate) offloaded_blocks: u64,
    /// … and their weights.
    pub(crate) offloaded_bytes: u64,
}

impl Memory {
    /// The memory of `device`.
    pub fn new(device: Device, options: MemoryOptions) -> Self {
        Self(Rc::new(Shared {
            vram: Vram::new(device, options.capacity_bytes),
            transfers: Transfers::new(device, options.transfers, options.staging),
            free_slots: options.free_slots,
            moved: Cell::default(),
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

    /// Whether there is a limit to what may be on the device: not on the CPU, whose memory is the host's.
    pub(crate) fn is_limited(&self) -> bool {
        self.vram().free_bytes().is_some()
    }

    /// Has weights travel in this way from now on. What the other way needs of the host is given back, but for the copies
    /// of blocks: [`DynamicSwap::fill_host`](super::DynamicSwap::fill_host) does that.
    pub(crate) fn set_backend(&self, backend: MemoryBackend) {
        self.0.transfers.set_options(TransferOptions::of(backend));
    }

    /// Counts what moves from now on, how often torch's cache is emptied, and the peak of the host's memory.
    pub(crate) fn start_counting(&self) {
        self.0.moved.take();
        self.0.vram.start_counting();
        self.0.transfers.reset_peak();
    }

    /// What has moved since then.
    pub(crate) fn moved(&self) -> Moved {
        self.0.moved.get()
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Moved)) {
        let mut moved = self.0.moved.get();
        change(&mut moved);
        self.0.moved.set(moved);
    }

    /// What of the host's memory the transfers have page-locked themselves.
    pub(crate) fn page_locked_bytes(&self) -> u64 {
        self.0.transfers.page_locked_bytes()
    }

    /// Gives the host's memory back that the transfers hold; it comes back with the next one that needs it.
    pub(crate) fn release_staging(&self) {
        self.0.transfers.release();
    }

    /// Host memory that the transfers use themselves.
    pub fn staging_bytes(&self) -> u64 {
        self.0.transfers.host_bytes()
    }

    /// Most host memory that a transfer took so far: the chunks in transit, and what is made on the way.
    pub fn peak_transfer_bytes(&self) -> u64 {
        self.0.transfers.peak_host_bytes()
    }

    /// Sends what does not come from page-locked memory in chunks, of which those in transit take no more host memory
    /// than this (but 32 bytes, and 512 KiB where a tensor is stored in another type).
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
