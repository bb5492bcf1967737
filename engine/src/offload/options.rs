//! How weights travel and how much of the device they may take: what departs from the defaults.

/// What departs from the defaults.
#[derive(Debug, Clone, Copy, Default)]
pub struct MemoryOptions {
    /// How weights travel.
    pub transfers: TransferOptions,
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

/// The Python application's memory v2: how weights travel to the device. It changes the speed and never the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransferOptions {
    /// Transfers have a stream of their own, so that they overlap with computation.
    pub use_async_streams: bool,
    /// Transfers start from page-locked memory.
    pub use_pinned_memory: bool,
}

impl Default for TransferOptions {
    fn default() -> Self {
        Self {
            use_async_streams: true,
            use_pinned_memory: true,
        }
    }
}
