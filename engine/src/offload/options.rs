//! How weights travel and how much of the device they may take: what departs from the defaults.

use framepack_jobs::MemoryBackend;

/// What departs from the defaults.
#[derive(Debug, Clone, Copy, Default)]
pub struct MemoryOptions {
    /// How weights travel.
    pub transfers: TransferOptions,
    /// Most device memory that weights of blocks may take. On the CPU it stands for a device's memory: weights leave it as
    /// they leave a device.
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

/// How weights travel to the device: the Python application's memory v1, v2, or what is between them. It changes the
/// speed and never the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransferOptions {
    /// Transfers have a stream of their own, so that they overlap with computation.
    pub use_async_streams: bool,
    /// Transfers start from page-locked memory.
    pub use_pinned_memory: bool,
    /// Blocks travel before their turn comes.
    pub prefetches: bool,
}

impl TransferOptions {
    /// Those of a backend.
    pub fn of(backend: MemoryBackend) -> Self {
        let is_v2 = backend == MemoryBackend::V2;
        Self {
            use_async_streams: is_v2,
            use_pinned_memory: is_v2,
            prefetches: is_v2,
        }
    }
}

impl Default for TransferOptions {
    fn default() -> Self {
        Self::of(MemoryBackend::V2)
    }
}
