//! Room on the device: which blocks get a place there, and which give theirs up.

use std::collections::btree_map::Entry;

use super::{DynamicSwap, bytes_of};
use crate::{
    error::Error,
    offload::{
        places::{Place, Places},
        residency::Residency,
        turns::Turns,
    },
};

impl<B> DynamicSwap<B> {
    /// Decides where blocks are from now on; what no longer has a place leaves the device.
    ///
    /// # Panics
    /// If `residency` has not one entry for each block.
    pub fn place(&self, residency: Residency) {
        assert_eq!(residency.resident.len(), self.len(), "one entry a block");
        let mut places = self.places.borrow_mut();
        self.finish_transfers(&mut places);
        let resident = &residency.resident;
        places.residents.retain(|number, _| resident[*number]);
        places.slots.clear();
        places.residency = residency;
    }

    /// Allocates the places that the residency asks for. Where a resident block does not fit although the plan
    /// said so (another process took the memory), it joins the streamed ones, if there may be slots for them.
    pub fn acquire(&self) -> Result<(), Error> {
        let mut places = self.places.borrow_mut();
        self.acquire_slots(&mut places)?;
        for number in 0..self.len() {
            if !places.residency.resident[number] || places.residents.contains_key(&number) {
                continue;
            }
            match self.allocate(bytes_of(&self.blocks[number])) {
                Ok(place) => drop(places.residents.insert(number, place)),
                Err(Error::OutOfMemory(shortage)) if places.residency.slots > 0 => {
                    tracing::warn!(
                        number,
                        %shortage,
                        "a block is streamed that was to be resident"
                    );
                    places.residency.resident[number] = false;
                    self.acquire_slots(&mut places)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// As many slots as the residency asks for, at least one and no more than there are streamed blocks. Where they do
    /// not fit, resident blocks are streamed instead, the last first; when none is left, fewer slots have to do.
    fn acquire_slots(&self, places: &mut Places<B>) -> Result<(), Error> {
        while let Some(bytes) = self.slot_bytes(&places.residency) {
            let streamed = self.len() - places.residency.residents();
            if places.slots.iter().any(|slot| slot.buffer.bytes() < bytes) {
                self.finish_transfers(places);
                places.slots.retain(|slot| slot.buffer.bytes() >= bytes);
            }
            if places.slots.len() >= places.residency.slots.clamp(1, streamed) {
                break;
            }
            match self.allocate(bytes) {
                Ok(place) => places.slots.push(place),
                Err(Error::OutOfMemory(shortage)) => {
                    self.finish_transfers(places);
                    if let Some((number, _)) = places.residents.pop_last() {
                        tracing::warn!(number, %shortage, "a block makes room for a slot");
                        places.residency.resident[number] = false;
                    } else if places.slots.is_empty() {
                        return Err(Error::OutOfMemory(shortage));
                    } else {
                        places.residency.slots = places.slots.len();
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Size of the largest block that is streamed.
    fn slot_bytes(&self, residency: &Residency) -> Option<u64> {
        let blocks = self.blocks.iter().zip(&residency.resident);
        let streamed = blocks.filter(|(_, resident)| !**resident);
        streamed.map(|(block, _)| bytes_of(block)).max()
    }

    fn allocate(&self, bytes: u64) -> Result<Place<B>, Error> {
        Ok(Place {
            buffer: self.memory.vram().allocate(bytes)?,
            held: None,
            filled: None,
            // Torch may give out memory whose last reader is still queued on the computation's stream.
            free: self.now(),
        })
    }

    /// Takes the last resident block from the device, or a slot when none is left; `None` if nothing was there.
    pub(in crate::offload) fn evict_place(&self) -> Option<Place<B>> {
        let mut places = self.places.borrow_mut();
        self.finish_transfers(&mut places);
        let resident = places.residents.pop_last().map(|(_, place)| place);
        resident.or_else(|| places.slots.pop())
    }

    /// Drops the slots with what is in them. They come back when they are needed.
    pub(crate) fn release_slots(&self) {
        let mut places = self.places.borrow_mut();
        self.finish_transfers(&mut places);
        places.slots.clear();
    }

    /// Drops all device copies, the last blocks first. They come back when they are needed.
    pub fn evict_all(&self) {
        while self.evict_place().is_some() {}
    }

    /// Makes a block resident from now on, and begins to bring it; fails where there is no room.
    pub(in crate::offload) fn settle(&self, number: usize) -> Result<(), Error> {
        let mut places = self.places.borrow_mut();
        if let Entry::Vacant(vacant) = places.residents.entry(number) {
            vacant.insert(self.allocate(bytes_of(&self.blocks[number]))?);
        }
        places.residency.resident[number] = true;
        let turns = Turns::new(self.len(), number, &|_| true);
        self.bring(&mut places, number, &turns).map(drop)
    }

    /// Lets the computation wait for all transfers, so that their buffers can be dropped in its order.
    fn finish_transfers(&self, places: &mut Places<B>) {
        let Some(stream) = self.computation() else {
            return;
        };
        for place in places.all() {
            if let Some(filled) = place.filled.take() {
                stream.wait(&filled);
            }
        }
    }
}
