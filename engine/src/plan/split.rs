//! Which of the transformer's blocks stay on the device: arithmetic on bytes, without torch and without I/O.
//!
//! A block is either resident, or streamed in every step through a ring of equally large slots while the blocks
//! before it compute. A forward is so much arithmetic for so few bytes that streaming costs next to nothing as
//! long as the transfers are spread evenly over it, which is why resident and streamed blocks alternate.
//! diffusers' group offloading streams all blocks or none; this fills the card.

use framepack_jobs::Bytes;

use super::{
    budget::{Budget, DEVICE_MARGIN_BYTES},
    host,
    limits::{ForcedSplit, Limits},
    relief::Residents,
};
use crate::{
    error::{Needs, PlanError},
    offload::Residency,
    transformer::TransformerCost,
};

/// Slots for the modulation layers while hoisting evaluates them one after the other.
pub const HOIST_SLOTS: usize = 2;

/// Slots of the ring where there is room: one block computes, one is complete, one is being filled.
const PREFERRED_SLOTS: usize = 3;

/// The transformer's place on the device and the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Who stays on the device.
    pub residency: Residency,
    /// For each block: whether it waits in page-locked host memory; of the streamed blocks, those that do not
    /// are read from their files in every step.
    pub pinned: Vec<bool>,
    /// Size of a slot.
    pub slot_bytes: u64,
    /// What is kept free beside the weights.
    pub preserve_bytes: u64,
    /// What was to be kept free, where that does not fit.
    pub wanted_bytes: Option<u64>,
    /// Blocks that stay on the device.
    pub resident_bytes: u64,
    /// Blocks that are streamed, once a step.
    pub streamed_bytes: u64,
    /// Page-locked host memory that holds streamed blocks.
    pub arena_bytes: u64,
    /// Page-locked host memory through which the blocks outside the arena pass.
    pub staging_bytes: u64,
    /// Streamed blocks outside the arena, once a step.
    pub staged_bytes: u64,
    /// Most device memory while sampling, the context aside.
    pub peak_bytes: u64,
}

impl Split {
    /// Size of all slots.
    pub fn slots_bytes(&self) -> u64 {
        self.residency.slots as u64 * self.slot_bytes
    }

    /// Why less is kept free than was asked for, where it is.
    pub fn less_preserved(&self) -> Option<String> {
        let wanted_bytes = self.wanted_bytes?;
        Some(format!(
            "{} do not fit beside what sampling needs: {} are kept free",
            Bytes(wanted_bytes),
            Bytes(self.preserve_bytes)
        ))
    }
}

/// Places the transformer; an error says what is missing.
pub fn split(cost: &TransformerCost, budget: &Budget, limits: &Limits) -> Result<Split, PlanError> {
    let mut planner = SplitPlanner {
        cost,
        budget,
        slot_bytes: cost.block_bytes.iter().copied().max().unwrap_or(0),
        preserve_bytes: limits
            .preserve_bytes
            .unwrap_or(0)
            .max(cost.activation_bytes),
        wanted_bytes: None,
        staging_bytes: limits.staging_bytes(),
    };
    if !limits.must_preserve {
        planner.preserve_what_fits();
    }
    planner.add_room(limits.relief.room_bytes);
    let residency = match limits.forced {
        Some(split) => planner.forced(split)?,
        None => planner.best()?,
    };
    let residency = planner.reduced(residency, limits.relief.residents);
    let host_bytes = host::budget_bytes(budget, limits);
    let host_bytes = (host_bytes, planner.staging_bytes);
    let pinned = host::pinned(&cost.block_bytes, &residency, host_bytes)?;
    Ok(planner.carry_out(residency, pinned))
}

/// Plans a split; its fields do not depend on it.
struct SplitPlanner<'a> {
    cost: &'a TransformerCost,
    budget: &'a Budget,
    slot_bytes: u64,
    preserve_bytes: u64,
    wanted_bytes: Option<u64>,
    staging_bytes: u64,
}

impl SplitPlanner<'_> {
    /// All blocks if they fit; else as many as fit beside three slots, or fewer slots if none does.
    fn best(&self) -> Result<Residency, PlanError> {
        let blocks = self.cost.block_bytes.len();
        let largest = (0..=blocks)
            .rev()
            .map(|count| Residency::interleaved(blocks, count, PREFERRED_SLOTS.min(blocks - count)))
            .chain(
                (1..PREFERRED_SLOTS)
                    .rev()
                    .map(|slots| Residency::first(blocks, 0, slots.min(blocks))),
            )
            .find(|residency| self.fits(residency));
        largest.ok_or_else(|| self.too_small())
    }

    /// Where nothing fits beside what was to be kept free: keeps as much free as fits beside slots alone, rather fewer of
    /// them than less than a step takes.
    fn preserve_what_fits(&mut self) {
        let blocks = self.cost.block_bytes.len();
        let streamed = |slots: usize| Residency::first(blocks, 0, slots.min(blocks));
        if self.fits(&streamed(1)) {
            return;
        }
        let left = |slots: usize| {
            let residency = streamed(slots);
            let hoisting_bytes = self.hoisting_bytes(self.ring_bytes(&residency));
            let others_bytes = self.needs_of(&residency, 0).bytes() - hoisting_bytes;
            let left_bytes = self.budget.free_bytes.checked_sub(others_bytes)?;
            let least_bytes = self.cost.activation_bytes.max(hoisting_bytes);
            (left_bytes >= least_bytes).then_some(left_bytes)
        };
        if let Some(left_bytes) = (1..=PREFERRED_SLOTS).rev().find_map(left) {
            self.wanted_bytes = Some(self.preserve_bytes);
            self.preserve_bytes = left_bytes;
        }
    }

    /// Keeps more free if anything fits beside it.
    fn add_room(&mut self, bytes: u64) {
        let blocks = self.cost.block_bytes.len();
        let least = Residency::first(blocks, 0, blocks.min(1));
        let preserve_bytes = self.preserve_bytes + bytes;
        if self.needs_of(&least, preserve_bytes).bytes() <= self.budget.free_bytes {
            self.preserve_bytes = preserve_bytes;
        }
    }

    /// The same with fewer resident blocks, which need slots to come through.
    fn reduced(&self, planned: Residency, residents: Residents) -> Residency {
        let blocks = planned.resident.len();
        let count = planned.residents();
        let left = residents.of(count);
        if left == count {
            return planned;
        }
        let most_slots = PREFERRED_SLOTS.max(planned.slots).min(blocks - left);
        (1..=most_slots)
            .rev()
            .map(|slots| Residency::interleaved(blocks, left, slots))
            .find(|residency| self.fits(residency))
            .unwrap_or(planned)
    }

    fn forced(&self, split: ForcedSplit) -> Result<Residency, PlanError> {
        let blocks = self.cost.block_bytes.len();
        let ForcedSplit {
            resident_blocks,
            slots,
        } = split;
        if resident_blocks > blocks || (resident_blocks < blocks && slots == 0) {
            return Err(PlanError::NoSplit {
                resident_blocks,
                slots,
                blocks,
            });
        }
        // More than there are streamed blocks would hold nothing.
        let slots = slots.min(blocks - resident_blocks);
        let residency = Residency::first(blocks, resident_blocks, slots);
        if self.fits(&residency) {
            return Ok(residency);
        }
        Err(PlanError::ForcedSplit {
            resident_blocks,
            slots,
            needs: self.needs_of(&residency, self.preserve_bytes),
            free_bytes: self.budget.free_bytes,
        })
    }

    fn fits(&self, residency: &Residency) -> bool {
        self.needs_of(residency, self.preserve_bytes).bytes() <= self.budget.free_bytes
    }

    /// The parts that must fit together while hoisting and sampling.
    fn needs_of(&self, residency: &Residency, preserve_bytes: u64) -> Needs {
        let ring_bytes = self.ring_bytes(residency);
        Needs::new([
            ("CUDA context", self.budget.context_bytes),
            (
                "other weights",
                self.cost.fixed_bytes + self.cost.hoisted_bytes,
            ),
            ("step cache", self.cost.step_cache_bytes),
            ("resident blocks", self.resident_bytes(residency)),
            ("slots", ring_bytes),
            (
                "working memory",
                preserve_bytes.max(self.hoisting_bytes(ring_bytes)),
            ),
            ("margin", DEVICE_MARGIN_BYTES),
        ])
    }

    /// The refusal: with one slot and nothing resident it does not fit.
    fn too_small(&self) -> PlanError {
        let blocks = self.cost.block_bytes.len();
        let least = Residency::first(blocks, 0, blocks.min(1));
        let free_bytes = self.budget.free_bytes;
        let needs = self.needs_of(&least, self.cost.activation_bytes);
        if needs.bytes() <= free_bytes {
            return PlanError::Preserve {
                preserve_bytes: self.preserve_bytes,
                needs: self.needs_of(&least, self.preserve_bytes),
                free_bytes,
            };
        }
        PlanError::Device {
            phase: "sampling",
            needs,
            free_bytes,
            total_bytes: self.budget.total_bytes,
            foreign_bytes: self.budget.foreign_bytes,
        }
    }

    fn ring_bytes(&self, residency: &Residency) -> u64 {
        residency.slots as u64 * self.slot_bytes
    }

    /// What hoisting takes beside a ring of that size, whose memory it has while it lasts: the conditioner or the
    /// modulation layers, which are not there at once.
    fn hoisting_bytes(&self, ring_bytes: u64) -> u64 {
        let modulations_bytes = HOIST_SLOTS as u64 * self.cost.modulation_bytes;
        let peak_bytes = self.cost.conditioner_bytes.max(modulations_bytes);
        peak_bytes.saturating_sub(ring_bytes)
    }

    fn resident_bytes(&self, residency: &Residency) -> u64 {
        host::sum_where(&self.cost.block_bytes, &residency.resident)
    }

    fn carry_out(&self, residency: Residency, pinned: Vec<bool>) -> Split {
        let cost = self.cost;
        let resident_bytes = self.resident_bytes(&residency);
        let streamed_bytes = cost.block_bytes.iter().sum::<u64>() - resident_bytes;
        let arena_bytes = host::sum_where(&cost.block_bytes, &pinned);
        let staged_bytes = streamed_bytes - arena_bytes;
        let ring_bytes = self.ring_bytes(&residency);
        let working_bytes = cost.activation_bytes.max(self.hoisting_bytes(ring_bytes));
        Split {
            slot_bytes: self.slot_bytes,
            preserve_bytes: self.preserve_bytes,
            wanted_bytes: self.wanted_bytes,
            resident_bytes,
            streamed_bytes,
            arena_bytes,
            staging_bytes: if staged_bytes > 0 {
                self.staging_bytes
            } else {
                0
            },
            staged_bytes,
            peak_bytes: cost.fixed_bytes
                + cost.hoisted_bytes
                + cost.step_cache_bytes
                + resident_bytes
                + ring_bytes
                + working_bytes,
            residency,
            pinned,
        }
    }
}

#[cfg(test)]
mod tests;
