//! The Python application's memory functions, by their names, with what those names promise.
//!
//! In the original, `load_model_chunked` moved the root module, and with it everything, in one go; the target of
//! `force_free_vram` ([`Vram::force_free_vram`](super::vram::Vram::force_free_vram)) only decided about a warning; and
//! offloading copied weights back that had never changed.
//!
//! A job's plan decides where its blocks are (`plan/split.rs`), so jobs need these functions for what a plan leaves
//! open, and commands that run a model without a plan need them for the rest (`bench transformer` has a
//! plan on CUDA):
//!
//! | function | where it is used |
//! |---|---|
//! | [`load_model_chunked`] | `framepack-worker forward`, or `bench transformer` on the CPU, with `--chunk-mib N`; a job's `memory.load_chunk_mb` limits the same chunks |
//! | [`move_model_to_device_with_memory_preservation`] | `framepack-worker forward`, or `bench transformer` on the CPU, with `--preserve-gib G`; a job's `memory.preserve_gb` is part of its plan |
//! | [`offload_model_from_device_for_memory_preservation`] | a job, before each section is decoded, as its `memory.offload` says |
//! | [`Vram::force_free_vram`](super::vram::Vram::force_free_vram) | a job, before an encoder or the VAE is loaded and before each section is decoded |

use framepack_jobs::Offloading;

use super::{residency::Residency, swap::DynamicSwap, vram::Vram};
use crate::error::Error;

/// Slots for the blocks that do not fit.
const SLOTS: usize = 2;
/// Aggressive offloading empties torch's cache each time that this many blocks were moved.
const BLOCKS_PER_CLEARING: usize = 10;
/// Aggressive offloading ends when what is to be preserved is at most this share of the free memory; loading
/// goes on to the same share of what is to be preserved. Between the two, nothing moves back and forth.
const HYSTERESIS: f64 = 0.8;

/// What became of a model that was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loaded {
    /// Blocks that are on the device.
    pub resident_blocks: usize,
    /// Blocks that did not fit and pass through slots.
    pub streamed_blocks: usize,
}

impl Loaded {
    fn of<B>(model: &DynamicSwap<B>) -> Self {
        let resident_blocks = model.residency().residents();
        Self {
            resident_blocks,
            streamed_blocks: model.len() - resident_blocks,
        }
    }
}

/// Brings a model to the device block by block, in chunks of at most `max_chunk_size_mb` MiB (at least 1).
///
/// The memory beside the model's own is one chunk on the host, of which one half is filled while the other travels. An allocation that fails is tried again with torch's
/// cache emptied. Where the model is larger than the device, blocks are streamed from there on, and room for that is
/// made; an error means that there is no room even for one block, and leaves nothing on the device.
///
/// No memory is kept for what the model computes:
/// [`move_model_to_device_with_memory_preservation`] does that.
///
/// Used by `framepack-worker forward`, or `bench transformer` on the CPU, with `--chunk-mib` where no other option says
/// what is resident. Jobs do not: their plan says it, and their blocks come under the first step.
pub fn load_model_chunked<B>(
    model: &DynamicSwap<B>,
    max_chunk_size_mb: usize,
) -> Result<Loaded, Error> {
    let chunk_bytes = max_chunk_size_mb.clamp(1, usize::MAX >> 20) << 20;
    model.memory().set_chunk_bytes(chunk_bytes);
    model.place(Residency::first(model.len(), 0, 0));
    let settled = (0..model.len()).try_for_each(|number| model.settle(number));
    let outcome = match settled {
        Err(Error::OutOfMemory { .. }) => stream_the_rest(model),
        settled => settled,
    };
    outcome.inspect_err(|_| model.evict_all())?;
    Ok(Loaded::of(model))
}

/// Gives the blocks that are not resident slots to pass through, at the cost of residents.
fn stream_the_rest<B>(model: &DynamicSwap<B>) -> Result<(), Error> {
    let residents = model.residency().residents();
    model.place(Residency::first(model.len(), residents, SLOTS));
    model.acquire()
}

/// Brings as many blocks to the device as leave `preserved_bytes` free; the others are streamed through `slots`
/// slots. Residents and streamed blocks are interleaved.
///
/// The free memory is read before each block, so what others take meanwhile counts. A block that does not fit after
/// all is streamed; an error means that there is no room even for one slot.
///
/// Used by `framepack-worker forward`, or `bench transformer` on the CPU, with `--preserve-gib`. Jobs do not: what
/// `memory.preserve_gb` keeps free is part of their plan.
pub fn move_model_to_device_with_memory_preservation<B>(
    model: &DynamicSwap<B>,
    preserved_bytes: u64,
    offloading: Offloading,
    slots: usize,
) -> Result<Loaded, Error> {
    let vram = model.memory().vram();
    let preserved_bytes = match offloading {
        Offloading::Normal => preserved_bytes,
        Offloading::Aggressive => (preserved_bytes as f64 * HYSTERESIS) as u64,
    };
    let fits = |bytes: u64| match vram.free_bytes() {
        Some(free_bytes) => free_bytes >= preserved_bytes.saturating_add(bytes),
        None => true,
    };

    model.evict_all();
    let block_bytes = model.block_bytes();
    let slots = slots.max(1);
    let slot_bytes = slots as u64 * block_bytes.iter().max().copied().unwrap_or(0);
    let total_bytes: u64 = block_bytes.iter().sum();
    let (residents, reserved_bytes) = if fits(total_bytes) {
        (model.len(), 0)
    } else {
        let resident_bytes = |residents| {
            let residency = Residency::interleaved(model.len(), residents, slots);
            let blocks = block_bytes.iter().zip(&residency.resident);
            let resident = blocks.filter(|(_, resident)| **resident);
            resident.map(|(bytes, _)| bytes).sum::<u64>()
        };
        let residents = (0..model.len())
            .rev()
            .find(|residents| fits(resident_bytes(*residents) + slot_bytes));
        (residents.unwrap_or(0), slot_bytes)
    };
    let wanted = Residency::interleaved(model.len(), residents, slots);
    model.place(wanted.clone());
    let mut granted = wanted.clone();
    for (number, bytes) in block_bytes.iter().enumerate() {
        if wanted.resident[number] {
            granted.resident[number] = fits(bytes + reserved_bytes)
                && match model.settle(number) {
                    Err(Error::OutOfMemory { .. }) => false,
                    settled => settled.map(|()| true)?,
                };
        }
    }
    model.place(granted);
    model.acquire()?;
    Ok(Loaded::of(model))
}

/// Drops blocks from the device until `preserved_bytes` are free there, the residents and then the slots with what is
/// in them; returns how many blocks were dropped. Residents stay resident: all come back when the model runs again. Nothing
/// is copied to the host.
///
/// Aggressive offloading goes on until `preserved_bytes` are 80 % of what is free, and empties torch's cache after every
/// ten blocks. Where nobody knows what is free, all are dropped.
///
/// Used by jobs before each section is decoded: by way of [`Vram::force_free_vram`] on a device that does not hold all
/// models at once, and in any case where the job asks for aggressive offloading.
pub fn offload_model_from_device_for_memory_preservation<B>(
    model: &DynamicSwap<B>,
    preserved_bytes: u64,
    offloading: Offloading,
) -> usize {
    let vram: &Vram = model.memory().vram();
    let target_bytes = match offloading {
        Offloading::Normal => preserved_bytes,
        Offloading::Aggressive => (preserved_bytes as f64 / HYSTERESIS).ceil() as u64,
    };
    let is_enough = || vram.free_bytes().is_some_and(|free| free >= target_bytes);
    let mut moved = 0;
    while !is_enough()
        && let Some(place) = model.evict_place()
    {
        if place.held.is_none() {
            continue; // an empty slot
        }
        moved += 1;
        model.memory().count(|moved| {
            moved.offloaded_blocks += 1;
            moved.offloaded_bytes += place.buffer.bytes();
        });
        drop(place);
        if offloading == Offloading::Aggressive && moved % BLOCKS_PER_CLEARING == 0 {
            vram.empty_cache();
        }
    }
    vram.empty_cache();
    moved
}
