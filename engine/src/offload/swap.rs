//! Dynamic swap: the blocks of a model, each on the device when its turn comes.
//!
//! Resident blocks have a place of their own and stay there. The others pass through a few slots: while one
//! block computes, the next ones travel on a stream of their own. A slot is filled again only when the block
//! that was in it has been computed; the streams see to that by events, and the host never waits.
//!
//! The Python application's `DynamicSwapInstaller` streamed every parameter from pageable memory when it was touched, and
//! copied weights back; the idea of moving whole blocks ahead of time is diffusers' group offloading.

mod host;
mod room;

use std::{
    cell::{Cell, RefCell},
    fmt,
    ops::ControlFlow,
    sync::Arc,
};

use tch::Device;

use super::{
    arena::{Filling, HostBlock},
    memory::Memory,
    places::{Place, Places},
    residency::Residency,
    turns::Turns,
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
            let packing = BlockWeights::packing(w.kind(), |w| load(number, w))?;
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

    /// Bytes of the blocks that were brought to the device so far.
    pub fn transferred_bytes(&self) -> u64 {
        self.transferred_bytes.get()
    }

    /// Runs `compute` for each block in order. Memory that is missing is raised as an error of the phase.
    pub fn for_each(&self, mut compute: impl FnMut(usize, &B)) {
        self.for_each_of(
            |_| true,
            |number, block| {
                compute(number, block);
                ControlFlow::Continue(())
            },
        );
    }

    /// The same for those of the blocks that are `wanted`, until `compute` breaks. The others are not brought to the device.
    pub(crate) fn for_each_of(
        &self,
        wanted: impl Fn(usize) -> bool,
        mut compute: impl FnMut(usize, &B) -> ControlFlow<()>,
    ) {
        if let Err(error) = self.pass(&wanted, &mut compute) {
            device::raise(error);
        }
    }

    fn pass(
        &self,
        wanted: &dyn Fn(usize) -> bool,
        compute: &mut dyn FnMut(usize, &B) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.acquire()?;
        let mut places = self.places.borrow_mut();
        if self.in_pass.replace(true) {
            // The last pass ended in the middle of a block, whose buffer the device may still be reading.
            places.all().for_each(|place| place.free = self.now());
        }
        let mut is_next_pass_ahead = false;
        for number in (0..self.len()).filter(|number| wanted(*number)) {
            self.bring(&mut places, number, &Turns::new(self.len(), number, wanted))?;
            let place = places.place_of(number).expect("it was brought just now");
            if let (Some(filled), Some(stream)) = (place.filled.take(), self.computation()) {
                stream.wait(&filled);
            }
            let (_, block) = place.held.as_ref().expect("a place that was found by it");
            let flow = compute(number, block);
            place.free = self.now();
            if self.memory.poisons_slots() && !places.residency.resident[number] {
                self.poison(places.place_of(number).expect("it is still there"));
            }
            if flow.is_break() {
                break;
            }
            self.look_ahead(&mut places, &Turns::new(self.len(), number + 1, wanted))?;
            is_next_pass_ahead = number + 1 == self.len();
        }
        if !is_next_pass_ahead {
            let next_pass = Turns::new(self.len(), self.len(), wanted);
            self.look_ahead(&mut places, &next_pass)?;
        }
        self.in_pass.set(false);
        Ok(())
    }

    /// Begins the transfers that the blocks whose turn is next will need, as far as there are slots.
    fn look_ahead(&self, places: &mut Places<B>, turns: &Turns<'_>) -> Result<(), Error> {
        if !self.memory.transfers().prefetches() {
            return Ok(());
        }
        let mut begun = 0;
        for number in turns.upcoming(places.residency.passes) {
            if places.place_of(number).is_none() {
                if begun == places.residency.prefetch || !self.bring(places, number, turns)? {
                    break;
                }
                begun += 1;
            }
        }
        Ok(())
    }

    /// Begins to bring a block to the device unless it is there. `false`: all slots hold blocks that are needed
    /// earlier.
    fn bring(
        &self,
        places: &mut Places<B>,
        number: usize,
        turns: &Turns<'_>,
    ) -> Result<bool, Error> {
        if places.place_of(number).is_some() {
            return Ok(true);
        }
        let is_resident = places.residency.resident[number];
        let Some(place) = places.place_for(number, turns) else {
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
        self.memory.count(|moved| {
            moved.brought_bytes += bytes_of(host);
            moved.streamed_bytes += if is_resident { 0 } else { bytes_of(host) };
        });
        if filled.is_none() {
            // The computation's stream itself filled it: transfers into it have to wait for that.
            place.free = self.now();
        }
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

    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
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
        self.memory.transfers().finish();
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
