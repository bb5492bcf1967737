//! The Python application's memory functions do what their names say, and the results stay the same bit for bit.

use tch::{Device, Kind};

use super::{BLOCKS, Fixture, resident, steps};
use crate::{
    error::Error,
    offload::{
        DynamicSwap, Memory, MemoryOptions, Offloading, Staging, load_model_chunked,
        move_model_to_device_with_memory_preservation,
        offload_model_from_device_for_memory_preservation,
    },
    weights::Loading,
};

#[test]
fn load_model_chunked_gives_the_same_bits_at_any_chunk_size() {
    let expected = resident();
    let staged = Fixture::new(MemoryOptions {
        staging: Staging::Always,
        ..MemoryOptions::default()
    });
    let fixture = Fixture::new(MemoryOptions::default());
    for (fixture, chunks_bytes) in [
        (&staged, vec![1, 63, 4096]),
        (&fixture, vec![1, 63, 4096, usize::MAX >> 24]),
    ] {
        let blocks = fixture.model.blocks();
        for chunk_bytes in chunks_bytes {
            blocks.evict_all();
            blocks.memory().set_chunk_bytes(chunk_bytes);
            assert_eq!(fixture.run().unwrap(), expected, "{chunk_bytes}");
        }
    }
    let blocks = fixture.model.blocks();
    let loaded = load_model_chunked(blocks, 1).unwrap();
    assert_eq!(
        (loaded.resident_blocks, loaded.streamed_blocks),
        (BLOCKS, 0)
    );
    assert_eq!(fixture.live_bytes(), fixture.total_bytes());
    let before = blocks.transferred_bytes();
    assert_eq!(fixture.run().unwrap(), expected);
    assert_eq!(blocks.transferred_bytes(), before, "nothing had to come");
}

#[test]
fn load_model_chunked_streams_what_is_larger_than_the_device() {
    let expected = resident();
    let one = Fixture::new(MemoryOptions::default()).largest_block_bytes();
    let total = Fixture::new(MemoryOptions::default()).total_bytes();
    let steps = steps();
    for capacity_bytes in (one..total).step_by(one as usize / 3) {
        let fixture = Fixture::with_capacity(capacity_bytes);
        let blocks = fixture.model.blocks();
        let loaded = load_model_chunked(blocks, 1).unwrap();
        assert!(loaded.streamed_blocks > 0, "{capacity_bytes}");
        assert!(fixture.live_bytes() <= capacity_bytes);
        let _no_grad = tch::no_grad_guard();
        for (step, expected) in steps.iter().zip(&expected) {
            assert_eq!(&fixture.forward(step), expected, "{capacity_bytes}");
        }
        assert!(fixture.live_bytes() <= capacity_bytes);
    }
}

#[test]
fn load_model_chunked_tries_a_failed_allocation_again() {
    let fixture = Fixture::new(MemoryOptions::default());
    let blocks = fixture.model.blocks();
    for number in 0..BLOCKS as u64 {
        blocks.evict_all();
        blocks.memory().vram().faults().fail(number, 1);
        let loaded = load_model_chunked(blocks, 1).unwrap();
        assert_eq!(loaded.resident_blocks, BLOCKS, "allocation {number}");
    }
}

#[test]
fn offloading_and_preservation_count_the_slots() {
    let (total, one) = {
        let fixture = Fixture::new(MemoryOptions::default());
        (fixture.total_bytes(), fixture.largest_block_bytes())
    };
    let steps = steps();
    let fixture = Fixture::with_capacity(total);
    let blocks = fixture.model.blocks();
    let preserve = |bytes, slots| {
        move_model_to_device_with_memory_preservation(blocks, bytes, Offloading::Normal, slots)
    };
    preserve(total - one, 0).unwrap();
    assert!(
        fixture.live_bytes() <= one,
        "one slot, which was not asked for"
    );

    blocks.memory().vram().faults().fail(2, 2);
    let loaded = preserve(0, 1).unwrap();
    blocks.memory().vram().faults().stop();
    assert!(loaded.streamed_blocks > 0, "a block that could not be had");

    let _no_grad = tch::no_grad_guard();
    let _ = fixture.forward(&steps[0]);
    offload_model_from_device_for_memory_preservation(blocks, u64::MAX, Offloading::Normal);
    assert_eq!(fixture.live_bytes(), 0, "slots are offloaded too");
}

#[test]
fn a_model_of_which_not_one_block_fits_is_refused_and_leaves_nothing() {
    let fixture = Fixture::with_capacity(100);
    let error = load_model_chunked(fixture.model.blocks(), 1).unwrap_err();
    assert!(matches!(error, Error::OutOfMemory { .. }), "{error}");
    assert_eq!(fixture.live_bytes(), 0);
}

#[test]
fn preservation_leaves_what_is_to_be_preserved() {
    let expected = resident();
    let total = Fixture::new(MemoryOptions::default()).total_bytes();
    let steps = steps();
    for offloading in [Offloading::Normal, Offloading::Aggressive] {
        for preserved_bytes in (0..total).step_by(total as usize / 7) {
            let fixture = Fixture::with_capacity(total);
            let blocks = fixture.model.blocks();
            let outcome = move_model_to_device_with_memory_preservation(
                blocks,
                preserved_bytes,
                offloading,
                1,
            )
            .unwrap();
            let free_bytes = total - fixture.live_bytes();
            let preserved_bytes = match offloading {
                Offloading::Normal => preserved_bytes,
                Offloading::Aggressive => preserved_bytes * 8 / 10,
            };
            assert!(
                free_bytes >= preserved_bytes || outcome.resident_blocks == 0,
                "{free_bytes} of {preserved_bytes} are free"
            );
            let _no_grad = tch::no_grad_guard();
            for (step, expected) in steps.iter().zip(&expected) {
                assert_eq!(&fixture.forward(step), expected);
            }
        }
    }
}

#[test]
fn offloading_stops_at_its_threshold_and_what_left_comes_back() {
    let expected = resident();
    let fixture = Fixture::with_capacity(Fixture::new(MemoryOptions::default()).total_bytes() * 2);
    let blocks = fixture.model.blocks();
    let offload = |preserved_bytes, offloading| {
        load_model_chunked(blocks, 1).unwrap();
        let moved =
            offload_model_from_device_for_memory_preservation(blocks, preserved_bytes, offloading);
        let free_bytes = blocks.memory().vram().free_bytes().unwrap();
        (moved, free_bytes)
    };
    let total = fixture.total_bytes();
    assert_eq!(offload(total, Offloading::Normal), (0, total));
    let (normal, free_bytes) = offload(total + 1, Offloading::Normal);
    assert_eq!(normal, 1);
    assert!(free_bytes > total);
    let (aggressive, free_bytes) = offload(total + 1, Offloading::Aggressive);
    assert!(aggressive > normal, "aggressive goes on");
    assert!(free_bytes * 8 / 10 > total);
    assert_eq!(offload(u64::MAX, Offloading::Normal).0, BLOCKS);
    assert_eq!(fixture.run().unwrap(), expected);
}

#[test]
fn aggressive_offloading_empties_the_cache_every_ten_blocks() {
    let memory = Memory::new(
        Device::Cpu,
        MemoryOptions {
            capacity_bytes: Some(1 << 30),
            ..MemoryOptions::default()
        },
    );
    let loading = Loading::synthesised(1);
    let weights = loading.weights(Device::Cpu, Kind::Float);
    let places: Vec<_> = (0..25).map(|number| weights.pp(number)).collect();
    let blocks = DynamicSwap::load(&memory, &places, |_, w| w.get("weight", &[4, 4])).unwrap();
    let clearings = |offloading| {
        load_model_chunked(&blocks, 1).unwrap();
        let before = memory.vram().cache_clearings();
        let moved =
            offload_model_from_device_for_memory_preservation(&blocks, u64::MAX / 2, offloading);
        assert_eq!(moved, 25);
        memory.vram().cache_clearings() - before
    };
    assert_eq!(clearings(Offloading::Normal), 1, "at the end");
    assert_eq!(
        clearings(Offloading::Aggressive),
        3,
        "after 10, 20, and at the end"
    );
}
