//! Dynamic swap: the blocks of a model, each on the device when its turn comes.
//!
//! Resident blocks have a place of their own and stay there. The others pass through a few slots: while one
//! block computes, the next ones travel on a stream of their own. A slot is filled again only when the block
//! that was in it has been computed; the streams see to that by events, and the host never waits.
//!
//! The seed's `DynamicSwapInstaller` streamed every parameter from pageable memory when it was touched, and
//! copied weights back; the idea of moving whole blocks ahead of time is diffusers' group offloading.

use std::{
    cell::{Cell, RefCell},
    collections::btree_map::Entry,
    fmt,
    sync::Arc,
};

use tch::Device;

use super::{
    Memory, Residency,
    arena::{Filling, HostBlock},
    places::{Place, Places},
    residency::Passes,
};
use crate::{
    device::{self, Event, Stream},
    error::Error,
    weights::{BlockWeights, Packing, Weights, WeightsError},
};

/// A byte that makes NaN of every floating-point type when it fills a number.
const NAN_BYTE: i64 = 0xff;

/// The blocks of one model, in the order in which they are computed.
pub struct DynamicSwap<B> {
    memory: Memory,
    blocks: Vec<Arc<HostBlock>>,
    load: Load<B>,
    places: RefCell<Places<B>>,
    filling: RefCell<Option<Filling>>,
    transferred_bytes: Cell<u64>,
    /// Whether a pass is under way, or was left by a panic.
    in_pass: Cell<bool>,
}

/// Builds the block of a number from its weights.
type Load<B> = Box<dyn Fn(usize, &Weights<'_>) -> Result<B, WeightsError>>;

impl<B> DynamicSwap<B> {
    /// The blocks at the places `blocks`, of which none is read yet; all of them resident.
    pub(crate) fn load(
        memory: &Memory,
        blocks: &[Weights<'_>],
        load: impl Fn(usize, &Weights<'_>) -> Result<B, WeightsError> + 'static,
    ) -> Result<Self, WeightsError> {
        let mut packings: Vec<Arc<Packing>> = Vec::new();
        let declare = |(number, w): (usize, &Weights<'_>)| {
            let packing = Packing::of(w.kind(), |w| load(number, w))?;
            let known = packings.iter().find(|known| ***known == packing).cloned();
            let packing = known.unwrap_or_else(|| Arc::new(packing));
            packings.push(packing.clone());
            Ok(HostBlock::new(BlockWeights::declare(w, packing)?))
        };
        let declared: Result<Vec<_>, _> = blocks.iter().enumerate().map(declare).collect();
        let declared = declared?;
        Ok(Self {
            memory: memory.clone(),
            places: RefCell::new(Places::new(declared.len())),
            blocks: declared,
            load: Box::new(load),
            filling: RefCell::default(),
            transferred_bytes: Cell::new(0),
            in_pass: Cell::new(false),
        })
    }

    /// How many blocks there are.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Size of each block on the device.
    pub fn block_bytes(&self) -> Vec<u64> {
        self.blocks.iter().map(|block| bytes_of(block)).collect()
    }

    /// Which blocks stay.
    pub fn residency(&self) -> Residency {
        self.places.borrow().residency.clone()
    }

    /// Bytes that the device copies occupy now, slots included.
    pub fn device_bytes(&self) -> u64 {
        let places = self.places.borrow();
        let buffers = places.residents.values().chain(&places.slots);
        buffers.map(|place| place.buffer.bytes()).sum()
    }

    /// Bytes of the copies in host memory.
    pub fn host_bytes(&self) -> u64 {
        let copies = self.blocks.iter().filter_map(|block| block.copy());
        copies.map(|copy| copy.len() as u64).sum()
    }

    /// Bytes sent to the device so far.
    pub fn transferred_bytes(&self) -> u64 {
        self.transferred_bytes.get()
    }

    /// Decides where blocks are from now on; what no longer has a place leaves the device.
    pub fn place(&self, residency: Residency) {
        assert_eq!(residency.resident.len(), self.len(), "one entry a block");
        self.finish_transfers();
        let mut places = self.places.borrow_mut();
        let resident = &residency.resident;
        places.residents.retain(|number, _| resident[*number]);
        places.slots.clear();
        places.residency = residency;
    }

    /// Begins to copy streamed blocks to host memory in the background: those that are `chosen`, page-locked for
    /// CUDA, which makes their transfers faster. The others are read from where they are stored, on every transfer.
    ///
    /// Synthesised weights are stored nowhere; the blocks that are not chosen get copies too, not page-locked.
    pub fn fill_host(&self, chosen: &[bool]) -> Result<(), Error> {
        let residency = self.residency();
        let streamed = self.blocks.iter().zip(&residency.resident).zip(chosen);
        let streamed: Vec<_> = streamed
            .filter(|((_, resident), _)| !**resident)
            .map(|((block, _), chosen)| (block, *chosen))
            .collect();
        if self.device().is_cuda() {
            for (block, _) in &streamed {
                self.synthesise_copy(block)?;
            }
        }
        let chosen = streamed.into_iter().filter(|(_, chosen)| *chosen);
        let chosen: Vec<_> = chosen.map(|(block, _)| block.clone()).collect();
        *self.filling.borrow_mut() = Some(Filling::start(chosen, self.device()));
        Ok(())
    }

    /// Makes synthesised weights on the device, where it is fast, and keeps them in host memory.
    fn synthesise_copy(&self, block: &HostBlock) -> Result<(), Error> {
        if block.copy().is_some() || !block.weights().is_synthesised() {
            return Ok(());
        }
        let buffer = self.memory.vram().allocate(bytes_of(block))?;
        block.weights().synthesise_into(buffer.tensor());
        block.make_copy(|to| self.memory.transfers().fetch(buffer.tensor(), to))?;
        Ok(())
    }

    /// Waits for the copies in host memory.
    pub fn wait_for_host(&self) {
        if let Some(filling) = &mut *self.filling.borrow_mut() {
            filling.wait();
        }
    }

    /// Allocates the places that the residency asks for. Where a resident block does not fit although the plan
    /// said so (another process took the memory), it joins the streamed ones, if there are slots for them.
    pub fn acquire(&self) -> Result<(), Error> {
        let mut places = self.places.borrow_mut();
        self.acquire_slots(&mut places)?;
        for number in 0..self.len() {
            if !places.residency.resident[number] || places.residents.contains_key(&number) {
                continue;
            }
            match self.allocate(bytes_of(&self.blocks[number])) {
                Ok(place) => drop(places.residents.insert(number, place)),
                Err(Error::OutOfMemory { message }) if places.residency.slots > 0 => {
                    tracing::warn!(
                        number,
                        message,
                        "a block is streamed that was to be resident"
                    );
                    places.residency.resident[number] = false;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// As many slots as the residency asks for, and at least one where a block needs it.
    fn acquire_slots(&self, places: &mut Places<B>) -> Result<(), Error> {
        let resident = &places.residency.resident;
        let streamed = self.blocks.iter().zip(resident);
        let largest_bytes = streamed
            .filter(|(_, resident)| !**resident)
            .map(|(block, _)| bytes_of(block))
            .max();
        if let Some(bytes) = largest_bytes {
            while places.slots.len() < places.residency.slots.max(1) {
                places.slots.push(self.allocate(bytes)?);
            }
        }
        Ok(())
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

    /// Runs `compute` for each block in order. Memory that is missing is raised as an error of the phase.
    pub fn for_each(&self, mut compute: impl FnMut(usize, &B)) {
        if let Err(error) = self.pass(&mut compute) {
            device::raise(error);
        }
    }

    fn pass(&self, compute: &mut dyn FnMut(usize, &B)) -> Result<(), Error> {
        self.acquire()?;
        let mut places = self.places.borrow_mut();
        if self.in_pass.replace(true) {
            // The last pass ended in the middle of a block, whose buffer the device may still be reading.
            places.all().for_each(|place| place.free = self.now());
        }
        for number in 0..self.len() {
            self.bring(&mut places, number, number)?;
            let place = places.place_of(number).expect("it was brought just now");
            if let (Some(filled), Some(stream)) = (place.filled.take(), self.computation()) {
                stream.wait(&filled);
            }
            let (_, block) = place.held.as_ref().expect("a place that was found by it");
            compute(number, block);
            place.free = self.now();
            if self.memory.poisons_slots() && !places.residency.resident[number] {
                self.poison(places.place_of(number).expect("it is still there"));
            }
            self.look_ahead(&mut places, number + 1)?;
        }
        self.in_pass.set(false);
        Ok(())
    }

    /// Begins the transfers that the blocks from `next` on will need, as far as there are slots.
    fn look_ahead(&self, places: &mut Places<B>, next: usize) -> Result<(), Error> {
        let upcoming = match places.residency.passes {
            Passes::Once => self.len().saturating_sub(next),
            Passes::Repeated => self.len(),
        };
        let numbers = (next..next + upcoming).map(|number| number % self.len());
        let mut begun = 0;
        for number in numbers {
            if places.place_of(number).is_none() {
                if begun == places.residency.prefetch
                    || !self.bring(places, number, next % self.len())?
                {
                    break;
                }
                begun += 1;
            }
        }
        Ok(())
    }

    /// Begins to bring a block to the device unless it is there. `false`: all slots hold blocks that are needed
    /// earlier, seen from the block `next`.
    fn bring(&self, places: &mut Places<B>, number: usize, next: usize) -> Result<bool, Error> {
        if places.place_of(number).is_some() {
            return Ok(true);
        }
        let Some(place) = places.place_for(number, next, self.len()) else {
            return Ok(false);
        };
        place.held = None;
        let host = &self.blocks[number];
        let buffer = place.buffer.tensor();
        if let (Some(filled), Some(stream)) = (place.filled.take(), self.computation()) {
            // A transfer that nobody waited for; the next one is on the same stream, synthesis is not.
            stream.wait(&filled);
        }
        let filled = (self.memory.transfers()).begin(host, buffer, place.free.as_ref())?;
        let sent_bytes = self.transferred_bytes.get() + bytes_of(host);
        self.transferred_bytes.set(sent_bytes);
        place.filled = filled;
        let block = (host.weights()).build(buffer, |w| (self.load)(number, w));
        place.held = Some((number, block));
        Ok(true)
    }

    /// Fills a slot with NaN: if anything reads it before the next transfer is through, results show it.
    fn poison(&self, place: &mut Place<B>) {
        place.held = None;
        let _ = place.buffer.tensor().shallow_clone().fill_(NAN_BYTE);
        place.free = self.now();
    }

    /// Drops device copies, the last blocks first, until `wanted_bytes` are dropped; returns how many were.
    /// They come back when they are needed.
    pub fn evict(&self, wanted_bytes: u64) -> u64 {
        self.finish_transfers();
        let mut places = self.places.borrow_mut();
        let mut dropped_bytes = 0;
        while dropped_bytes < wanted_bytes {
            let place = places.residents.pop_last().map(|(_, place)| place);
            let Some(place) = place.or_else(|| places.slots.pop()) else {
                break;
            };
            dropped_bytes += place.buffer.bytes();
        }
        dropped_bytes
    }

    /// Drops one resident block, the last; returns its bytes, or `None` when none is left.
    pub(super) fn evict_block(&self) -> Option<u64> {
        self.finish_transfers();
        let (_, place) = self.places.borrow_mut().residents.pop_last()?;
        Some(place.buffer.bytes())
    }

    /// Drops all device copies.
    pub fn evict_all(&self) {
        self.evict(u64::MAX);
    }

    /// Makes a block resident from now on, and begins to bring it; fails where there is no room.
    pub(super) fn settle(&self, number: usize) -> Result<(), Error> {
        let mut places = self.places.borrow_mut();
        if let Entry::Vacant(vacant) = places.residents.entry(number) {
            vacant.insert(self.allocate(bytes_of(&self.blocks[number]))?);
        }
        places.residency.resident[number] = true;
        self.bring(&mut places, number, number).map(drop)
    }

    pub(super) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Lets the computation wait for all transfers, so that their buffers can be dropped in its order.
    fn finish_transfers(&self) {
        let Some(stream) = self.computation() else {
            return;
        };
        for place in self.places.borrow_mut().all() {
            if let Some(filled) = place.filled.take() {
                stream.wait(&filled);
            }
        }
    }

    /// Torch's stream; `None` on the CPU.
    fn computation(&self) -> Option<Stream> {
        Stream::current(self.device())
    }

    /// What the computation has been given so far.
    fn now(&self) -> Option<Event> {
        self.computation().as_ref().map(Event::record)
    }

    fn device(&self) -> Device {
        self.memory.device()
    }
}

impl<B> Drop for DynamicSwap<B> {
    fn drop(&mut self) {
        // Transfers still read the host copies, and write the buffers.
        self.memory.transfers().synchronize();
    }
}

impl<B> fmt::Debug for DynamicSwap<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamicSwap")
            .field("blocks", &self.blocks.len())
            .field("device_bytes", &self.device_bytes())
            .finish_non_exhaustive()
    }
}

fn bytes_of(block: &HostBlock) -> u64 {
    block.weights().bytes() as u64
}
