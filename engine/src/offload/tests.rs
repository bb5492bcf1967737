//! What travels to the device and when, and what the host holds for that.

use std::{cell::RefCell, iter, rc::Rc};

use framepack_jobs::MemoryBackend;
use tch::{Device, Kind, Tensor};
use tempfile::TempDir;

use crate::{
    offload::{
        DynamicSwap, FreeSlots, Memory, MemoryOptions, Moved, Offloading, Residency, Staging,
        load_model_chunked, offload_model_from_device_for_memory_preservation,
    },
    weights::{Layout, Loading, save_synthesised},
};

const BLOCKS: usize = 7;
const SEED: u64 = 1;
const LAYOUT: Layout = Layout {
    base: "model",
    optional_prefixes: &[],
    ignored: |_| false,
};
const TENSORS: [&str; 3] = ["a", "b", "c"];
const SHAPE: [i64; 2] = [256, 256];
const MIB: u64 = 1 << 20;

/// What happened to the block of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Brought(usize),
    Computed(usize),
}

/// A model whose blocks say when they come and when they compute.
struct Logged {
    blocks: DynamicSwap<Vec<Tensor>>,
    log: Rc<RefCell<Vec<Event>>>,
}

impl Logged {
    fn new(loading: &Loading, kind: Kind, options: MemoryOptions) -> Self {
        let weights = loading.weights(Device::Cpu, kind);
        let places: Vec<_> = (0..BLOCKS).map(|number| weights.pp(number)).collect();
        let memory = Memory::new(Device::Cpu, options);
        let log = Rc::new(RefCell::new(Vec::new()));
        let brought = log.clone();
        let blocks = DynamicSwap::load(&memory, &places, move |number, w| {
            brought.borrow_mut().push(Event::Brought(number));
            TENSORS.iter().map(|name| w.get(name, &SHAPE)).collect()
        });
        let blocks = blocks.unwrap();
        // Each was built once to see what is in it.
        log.borrow_mut().clear();
        Self { blocks, log }
    }

    fn synthesised(options: MemoryOptions) -> Self {
        Self::new(&Loading::synthesised(SEED), Kind::Float, options)
    }

    /// One pass: its events, and how many bytes travelled.
    fn pass(&self) -> (Vec<Event>, u64) {
        let before = self.blocks.transferred_bytes();
        let computed = |number, _: &Vec<Tensor>| {
            self.log.borrow_mut().push(Event::Computed(number));
        };
        self.blocks.for_each(computed);
        let bytes = self.blocks.transferred_bytes() - before;
        (self.log.take(), bytes)
    }

    /// The weights as the computation sees them, each spoilt on the device afterwards.
    fn spoiling_pass(&self) -> Vec<Vec<Tensor>> {
        let mut seen = Vec::new();
        self.blocks.for_each(|_, block| {
            seen.push(block.iter().map(Tensor::copy).collect());
            for tensor in block {
                let _ = tensor.shallow_clone().fill_(f64::NAN);
            }
        });
        seen
    }
}

fn stored(loading: &Loading, kind: Kind) -> Vec<Vec<Tensor>> {
    let weights = loading.weights(Device::Cpu, kind);
    let block = |number| {
        let w = weights.pp(number);
        let tensors = TENSORS.iter();
        tensors.map(|name| w.get(name, &SHAPE).unwrap()).collect()
    };
    (0..BLOCKS).map(block).collect()
}

fn brought(events: &[Event]) -> Vec<usize> {
    let numbers = events.iter().filter_map(|event| match event {
        Event::Brought(number) => Some(*number),
        Event::Computed(_) => None,
    });
    numbers.collect()
}

/// How many of the `streamed` blocks compute between a block's arrival and its own computation, for each arrival
/// whose computation is in `events`.
fn lead(events: &[Event], streamed: &[usize]) -> Vec<usize> {
    let arrivals = events.iter().enumerate().filter_map(|(at, event)| {
        let Event::Brought(number) = event else {
            return None;
        };
        let later = &events[at..];
        let computed = Event::Computed(*number);
        let until = later.iter().position(|event| *event == computed)?;
        let between = later[..until].iter();
        let is_streamed =
            |event: &&Event| matches!(event, Event::Computed(other) if streamed.contains(other));
        Some(between.filter(is_streamed).count())
    });
    arrivals.collect()
}

#[test]
fn in_every_pass_each_streamed_block_travels_once_as_early_as_there_is_a_slot() {
    for free_slots in [FreeSlots::Kept, FreeSlots::Poisoned] {
        let model = Logged::synthesised(MemoryOptions {
            free_slots,
            ..MemoryOptions::default()
        });
        let splits =
            (0..BLOCKS).flat_map(|residents| (1..BLOCKS - residents).map(move |s| (residents, s)));
        for (residents, slots) in splits {
            let residency = Residency::interleaved(BLOCKS, residents, slots);
            let is_streamed = |number: &usize| !residency.resident[*number];
            let streamed: Vec<_> = (0..BLOCKS).filter(is_streamed).collect();
            let bytes = model.blocks.block_bytes();
            let streamed_bytes: u64 = streamed.iter().map(|number| bytes[*number]).sum();
            let what = format!("{residents} resident, {slots} slots, {free_slots:?}");
            model.blocks.place(residency.clone());
            model.pass();
            let mut events = Vec::new();
            for _ in 0..2 {
                let (pass, bytes) = model.pass();
                assert_eq!(bytes, streamed_bytes, "{what}");
                let mut numbers = brought(&pass);
                numbers.sort_unstable();
                assert_eq!(numbers, streamed, "{what}");
                events.extend(pass);
            }
            // It takes the place of the block that computed just before, ahead of those in the other slots.
            let lead = lead(&events, &streamed);
            assert!(lead.len() >= streamed.len(), "{what}");
            assert!(lead.iter().all(|lead| *lead == slots - 1), "{what}");
        }
    }
}

#[test]
fn what_runs_once_travels_once() {
    for slots in 1..=BLOCKS {
        let model = Logged::synthesised(MemoryOptions::default());
        model.blocks.place(Residency::once(BLOCKS, slots));
        let (events, bytes) = model.pass();
        let in_order: Vec<_> = (0..BLOCKS).collect();
        assert_eq!(brought(&events), in_order, "{slots} slots");
        assert_eq!(bytes, model.blocks.block_bytes().iter().sum::<u64>());
    }
}

#[test]
fn no_weight_comes_back_from_the_device() {
    let expected = stored(&Loading::synthesised(SEED), Kind::Float);
    let model = Logged::synthesised(MemoryOptions::default());
    let blocks = &model.blocks;
    let placed = |residents| {
        blocks.place(Residency::interleaved(BLOCKS, residents, 2));
        blocks.fill_host(&[true; BLOCKS]).unwrap();
        blocks.wait_for_host();
    };
    placed(3);
    assert_eq!(model.spoiling_pass(), expected);
    // However spoilt blocks leave the device, they come back as they were.
    offload_model_from_device_for_memory_preservation(blocks, u64::MAX, Offloading::Normal);
    assert_eq!(model.spoiling_pass(), expected, "offloaded");
    placed(0);
    assert_eq!(model.spoiling_pass(), expected, "streamed from now on");
    placed(BLOCKS);
    assert_eq!(model.spoiling_pass(), expected, "resident from now on");
    blocks.evict_all();
    load_model_chunked(blocks, 1).unwrap();
    assert_eq!(model.spoiling_pass(), expected, "loaded again");
}

/// The folder of a component in f32.
fn files() -> TempDir {
    let files = TempDir::new().unwrap();
    let names = (0..BLOCKS).flat_map(|number| iter::zip(iter::repeat(number), TENSORS));
    let tensors = names.map(|(number, name)| (format!("{number}.{name}"), SHAPE.to_vec()));
    let path = files.path().join("model.safetensors");
    save_synthesised(SEED, &tensors.collect(), &path).unwrap();
    files
}

#[test]
fn all_that_weights_take_of_the_host_in_transit_is_one_chunk() {
    let files = files();
    for backend in [MemoryBackend::V1, MemoryBackend::V2] {
        for (kind, is_converted) in [(Kind::Float, false), (Kind::Double, true)] {
            for chunk_mib in [1, 2] {
                let options = MemoryOptions {
                    staging: Staging::Always,
                    ..MemoryOptions::default()
                };
                let loading = Loading::open(files.path(), &LAYOUT).unwrap();
                let model = Logged::new(&loading, kind, options);
                let memory = model.blocks.memory();
                memory.set_backend(backend);
                let loaded = load_model_chunked(&model.blocks, chunk_mib).unwrap();
                assert_eq!(loaded.resident_blocks, BLOCKS);

                let what = format!("{backend:?}, {kind:?}, {chunk_mib} MiB");
                let model_bytes = model.blocks.block_bytes().iter().sum::<u64>();
                let chunk_bytes = chunk_mib as u64 * MIB;
                assert_eq!(memory.vram().peak_bytes(), model_bytes, "{what}");
                let extra_bytes = memory.peak_transfer_bytes();
                assert!(extra_bytes <= chunk_bytes, "{what}: {extra_bytes}");
                let has_buffers = backend == MemoryBackend::V2 || is_converted;
                assert_eq!(extra_bytes > chunk_bytes / 4, has_buffers, "{what}");
                assert_eq!(model.spoiling_pass(), stored(&loading, kind), "{what}");
            }
        }
    }
}

#[test]
fn v1_brings_each_block_when_its_turn_comes_and_the_bits_are_those_of_v2() {
    let files = files();
    let loading = Loading::open(files.path(), &LAYOUT).unwrap();
    let expected = stored(&loading, Kind::Float);
    let options = MemoryOptions {
        staging: Staging::Always,
        ..MemoryOptions::default()
    };
    let model = Logged::new(&loading, Kind::Float, options);
    let (blocks, memory) = (&model.blocks, model.blocks.memory());
    let residency = Residency::interleaved(BLOCKS, 2, 3);
    blocks.place(residency.clone());
    let streamed: Vec<_> = (0..BLOCKS).filter(|n| !residency.resident[*n]).collect();
    for backend in [MemoryBackend::V1, MemoryBackend::V2, MemoryBackend::V1] {
        memory.set_backend(backend);
        for chosen in [[false; BLOCKS], [true; BLOCKS]] {
            blocks.fill_host(&chosen).unwrap();
            blocks.wait_for_host();
            assert_eq!(model.spoiling_pass(), expected, "{backend:?} {chosen:?}");
            assert_eq!(blocks.page_locked_bytes(), 0, "the CPU needs none");
            blocks.evict_all();
            model.log.take();
            let (mut events, _) = model.pass();
            events.extend(model.pass().0);
            let lead = lead(&events, &streamed);
            let is_ahead = lead.iter().any(|lead| *lead > 0);
            assert_eq!(is_ahead, backend == MemoryBackend::V2, "{events:?}");
        }
    }
}

#[test]
fn what_moves_is_counted() {
    let model = Logged::synthesised(MemoryOptions {
        capacity_bytes: Some(1 << 30),
        staging: Staging::Always,
        ..MemoryOptions::default()
    });
    let (blocks, memory) = (&model.blocks, model.blocks.memory());
    let one = blocks.block_bytes()[0];
    blocks.place(Residency::first(BLOCKS, 2, 2));
    memory.start_counting();
    model.pass();
    let moved = memory.moved();
    assert_eq!(moved.brought_bytes, blocks.transferred_bytes());
    assert_eq!(moved.streamed_bytes, moved.brought_bytes - 2 * one);
    assert_eq!(moved.offloaded_blocks, 0);
    let before = memory.vram().cache_clearings();
    offload_model_from_device_for_memory_preservation(blocks, u64::MAX, Offloading::Normal);
    let moved = memory.moved();
    // The residents, and what is in the slots.
    assert_eq!(
        (moved.offloaded_blocks, moved.offloaded_bytes),
        (4, 4 * one)
    );
    assert_eq!(memory.vram().cache_clearings(), before + 1);
    assert!(memory.peak_transfer_bytes() > 0);
    memory.release_staging();
    memory.start_counting();
    assert_eq!(memory.moved(), Moved::default());
    assert_eq!(
        (
            memory.vram().cache_clearings(),
            memory.peak_transfer_bytes()
        ),
        (0, 0)
    );
    assert_eq!(memory.staging_bytes(), 0);
}
