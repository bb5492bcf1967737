//! Buffers on the device, and which block is in which.

use std::collections::BTreeMap;

use super::{residency::Residency, turns::Turns, vram::Buffer};
use crate::device::Event;

/// Where blocks are on the device.
pub(super) struct Places<B> {
    pub(super) residency: Residency,
    /// By the block's number.
    pub(super) residents: BTreeMap<usize, Place<B>>,
    pub(super) slots: Vec<Place<B>>,
}

/// A buffer on the device and the block in it.
pub(super) struct Place<B> {
    pub(super) buffer: Buffer,
    pub(super) held: Option<(usize, B)>,
    /// The transfer that fills the buffer, until the computation waits for it.
    pub(super) filled: Option<Event>,
    /// The computation that reads the buffer last, or whatever used its memory before.
    pub(super) free: Option<Event>,
}

impl<B> Places<B> {
    /// Nothing is on the device; all blocks are to be resident.
    pub(super) fn new(blocks: usize) -> Self {
        Self {
            residency: Residency::all(blocks),
            residents: BTreeMap::new(),
            slots: Vec::new(),
        }
    }

    pub(super) fn all(&mut self) -> impl Iterator<Item = &mut Place<B>> {
        self.residents.values_mut().chain(&mut self.slots)
    }

    /// Where a block is, if it is on the device or on its way there.
    pub(super) fn place_of(&mut self, number: usize) -> Option<&mut Place<B>> {
        let own = self.residents.get_mut(&number).into_iter();
        own.chain(&mut self.slots)
            .find(|place| place.held.as_ref().is_some_and(|held| held.0 == number))
    }

    /// Where a block can go: its own place, or the slot whose block is needed last.
    pub(super) fn place_for(&mut self, number: usize, turns: &Turns<'_>) -> Option<&mut Place<B>> {
        if let Some(place) = self.residents.get_mut(&number) {
            return Some(place);
        }
        let slot = self.slots.iter_mut().max_by_key(|slot| {
            // An empty slot before all others.
            slot.held
                .as_ref()
                .map_or(usize::MAX, |held| turns.until(held.0))
        })?;
        let is_free = match &slot.held {
            None => true,
            Some(held) => turns.until(held.0) > turns.until(number),
        };
        is_free.then_some(slot)
    }
}
