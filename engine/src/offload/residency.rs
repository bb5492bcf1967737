//! Which blocks of a model stay on the device, and through how many slots the others pass.

/// Blocks that travel ahead of the computation where none needs a slot: while a model runs for the first time.
const RESIDENTS_AHEAD: usize = 2;

/// Where the blocks of one model are while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Residency {
    /// For each block in order: whether it stays on the device.
    pub resident: Vec<bool>,
    /// Buffers through which the other blocks pass, each as large as the largest of them.
    pub slots: usize,
    /// Most transfers that are begun while one block computes.
    pub prefetch: usize,
    /// How often the model runs.
    pub passes: Passes,
}

/// How often a model goes through its blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passes {
    /// Once, as an encoder does: no block is wanted again.
    Once,
    /// Again and again, as a denoiser does: after the last block comes the first.
    Repeated,
}

impl Residency {
    /// All blocks stay on the device.
    pub fn all(blocks: usize) -> Self {
        Self::first(blocks, blocks, 0)
    }

    /// The first `residents` blocks stay on the device.
    pub fn first(blocks: usize, residents: usize, slots: usize) -> Self {
        Self {
            resident: (0..blocks).map(|block| block < residents).collect(),
            slots,
            prefetch: slots.max(RESIDENTS_AHEAD),
            passes: Passes::Repeated,
        }
    }

    /// `residents` of the blocks stay on the device, evenly spread, so that the transfers of the others are too.
    pub fn interleaved(blocks: usize, residents: usize, slots: usize) -> Self {
        Self {
            resident: evenly_spread(residents, blocks),
            ..Self::first(blocks, residents, slots)
        }
    }

    /// Every block passes once through `slots` slots.
    pub fn once(blocks: usize, slots: usize) -> Self {
        Self {
            passes: Passes::Once,
            ..Self::first(blocks, 0, slots)
        }
    }

    /// Blocks that stay.
    pub fn residents(&self) -> usize {
        self.resident.iter().filter(|resident| **resident).count()
    }
}

/// Which of `count` places `chosen` evenly spread ones take.
pub(crate) fn evenly_spread(chosen: usize, count: usize) -> Vec<bool> {
    // Bresenham's line from none to all of them, rounded.
    let upto = |place: usize| (2 * place * chosen + count) / (2 * count.max(1));
    (0..count).map(|i| upto(i + 1) > upto(i)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn residents_are_evenly_spread() {
        for blocks in 1..=60 {
            for residents in 0..=blocks {
                let residency = Residency::interleaved(blocks, residents, 3);
                assert_eq!(residency.residents(), residents);
                let streamed = blocks - residents;
                let longest = residency.resident.split(|resident| *resident);
                let longest = longest.map(<[bool]>::len).max().unwrap_or(0);
                // Between two residents, and half of that at either end.
                let even = streamed.div_ceil(residents.max(1));
                assert!(
                    longest <= even,
                    "{longest} streamed blocks in a row of {blocks} with {residents} resident"
                );
            }
        }
    }
}
