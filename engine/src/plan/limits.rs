//! How much memory of device and host may be used.

use super::relief::Relief;

/// What the settings say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Kept free beside the weights; never less than the activations, which are the default.
    pub preserve_bytes: Option<u64>,
    /// The split, whatever would be best.
    pub forced: Option<ForcedSplit>,
    /// Most host memory to page-lock; the default is what there is less a margin.
    pub host_budget_bytes: Option<u64>,
    /// What is given up because memory ran out before.
    pub relief: Relief,
}

/// A split that was asked for: the first blocks are resident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForcedSplit {
    /// How many.
    pub resident_blocks: usize,
    /// Slots for the others.
    pub slots: usize,
}
