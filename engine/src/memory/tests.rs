//! A small transformer under every way of holding its weights: the results are the same bit for bit.

use tch::{Device, Kind, Tensor};

use super::*;
use crate::{
    device,
    error::Error,
    transformer::{
        Conditioning, Config, Context, Moment, PackedTransformer, StepEmbeddings, TransformerInputs,
    },
    weights::Checkpoint,
};

const CONFIG: Config = Config {
    in_channels: 4,
    out_channels: 4,
    num_attention_heads: 2,
    attention_head_dim: 8,
    num_layers: 2,
    num_single_layers: 3,
    num_refiner_layers: 1,
    mlp_ratio: 2.0,
    text_embed_dim: 8,
    pooled_projection_dim: 8,
    rope_theta: 256.0,
    rope_axes_dim: [2, 2, 4],
    guidance_embeds: true,
    has_image_proj: true,
    image_proj_dim: 8,
    has_clean_x_embedder: true,
};
const BLOCKS: usize = CONFIG.num_layers + CONFIG.num_single_layers;
const F32: (Kind, Device) = (Kind::Float, Device::Cpu);

/// The model with `memory`, and inputs for it.
struct Fixture {
    model: PackedTransformer,
    latents: Tensor,
    conditioning: Conditioning,
    context: Context,
}

impl Fixture {
    fn new(options: MemoryOptions) -> Self {
        let checkpoint = Checkpoint::synthesised(1);
        let weights = checkpoint.weights(Device::Cpu, Kind::Float);
        let memory = Memory::new(Device::Cpu, options);
        Self {
            model: PackedTransformer::load(&weights, &CONFIG, &memory).unwrap(),
            latents: numbers(&[1, 4, 3, 8, 8]),
            conditioning: Conditioning {
                encoder_hidden_states: numbers(&[1, 6, 8]),
                encoder_attention_mask: Some(Tensor::arange(6, F32).lt(4).unsqueeze(0)),
                pooled_projections: numbers(&[1, 8]),
                image_embeddings: Some(numbers(&[1, 5, 8])),
            },
            context: Context {
                latent_indices: Tensor::arange(3, (Kind::Int64, Device::Cpu)).unsqueeze(0),
                clean: None,
                clean_2x: None,
                clean_4x: None,
            },
        }
    }

    fn with_capacity(capacity_bytes: u64) -> Self {
        Self::new(MemoryOptions {
            capacity_bytes: Some(capacity_bytes),
            ..MemoryOptions::default()
        })
    }

    /// The embeddings of the two steps at these timesteps.
    fn embeddings(
        &self,
        embed: impl Fn(&[Moment<'_>], &Conditioning) -> Vec<StepEmbeddings>,
    ) -> Vec<StepEmbeddings> {
        let scalars = [872.0_f32, 311.0].map(|value| Tensor::from_slice(&[value]));
        let moments = scalars.each_ref().map(|timestep| Moment {
            timestep,
            guidance: Some(&scalars[0]),
        });
        embed(&moments, &self.conditioning)
    }

    fn forward(&self, embeddings: &StepEmbeddings) -> Tensor {
        self.model.forward(&TransformerInputs {
            hidden_states: &self.latents,
            embeddings,
            context: &self.context,
        })
    }

    /// Two steps, one after the other.
    fn run(&self) -> Result<Vec<Tensor>, Error> {
        let _no_grad = tch::no_grad_guard();
        device::catch(|| {
            let embeddings = self.embeddings(|moments, text| self.model.hoist(moments, text));
            Ok(embeddings.iter().map(|step| self.forward(step)).collect())
        })
    }

    fn live_bytes(&self) -> u64 {
        self.model.blocks().memory().vram().live_bytes()
    }

    fn largest_block_bytes(&self) -> u64 {
        *self.model.blocks().block_bytes().iter().max().unwrap()
    }

    fn total_bytes(&self) -> u64 {
        self.model.blocks().block_bytes().iter().sum()
    }
}

/// Different numbers that look random, the same on every call.
fn numbers(shape: &[i64]) -> Tensor {
    let count = shape.iter().product::<i64>();
    (Tensor::arange(count, F32) * 12.9898).sin().view(shape)
}

/// All on the device, as if there were no memory to manage.
fn resident() -> Vec<Tensor> {
    let fixture = Fixture::new(MemoryOptions::default());
    let results = fixture.run().unwrap();
    assert_ne!(results[0], results[1], "the steps differ");
    assert!(results[0].isfinite().all().int64_value(&[]) == 1);
    results
}

/// The embeddings of both steps, from a model of which they all fit.
fn embeddings() -> Vec<StepEmbeddings> {
    let _no_grad = tch::no_grad_guard();
    let fixture = Fixture::new(MemoryOptions::default());
    fixture.embeddings(|moments, text| fixture.model.hoist(moments, text))
}

#[test]
fn every_split_slot_count_and_prefetch_depth_gives_the_same_bits() {
    let expected = resident();
    for free_slots in [FreeSlots::Kept, FreeSlots::Poisoned] {
        let fixture = Fixture::new(MemoryOptions {
            free_slots,
            ..MemoryOptions::default()
        });
        for residents in 0..=BLOCKS {
            for (slots, prefetch) in (1..=4).flat_map(|s| [0, 1, s, 5].map(|p| (s, p))) {
                for residency in [
                    Residency::first(BLOCKS, residents, slots),
                    Residency::interleaved(BLOCKS, residents, slots),
                ] {
                    let residency = Residency {
                        prefetch,
                        ..residency
                    };
                    fixture.model.blocks().place(residency);
                    let what = format!("{residents} resident, {slots} slots, {prefetch} ahead");
                    assert_eq!(fixture.run().unwrap(), expected, "{what}");
                }
            }
        }
    }
}

#[test]
fn copies_in_host_memory_give_the_same_bits() {
    let expected = resident();
    let fixture = Fixture::new(MemoryOptions::default());
    let blocks = fixture.model.blocks();
    blocks.place(Residency::first(BLOCKS, 1, 2));
    // One of the streamed blocks is read where it is stored.
    blocks.fill_host(&[true, true, false, true, true]).unwrap();
    assert_eq!(fixture.run().unwrap(), expected, "while they are made");
    blocks.wait_for_host();
    let bytes = blocks.block_bytes();
    assert_eq!(blocks.host_bytes(), bytes[1] + bytes[3] + bytes[4]);
    assert_eq!(fixture.run().unwrap(), expected);
}

#[test]
fn the_order_of_hoisting_gives_the_same_bits() {
    let _no_grad = tch::no_grad_guard();
    let fixture = Fixture::new(MemoryOptions::default());
    let hoisted = fixture.embeddings(|moments, text| fixture.model.hoist(moments, text));
    let live_bytes = fixture.live_bytes();
    assert_eq!(live_bytes, 0, "what was hoisted left the device");
    let each = fixture.embeddings(|moments, text| {
        let one = |moment: &Moment<'_>| fixture.model.embed(&[*moment], text).remove(0);
        moments.iter().map(one).collect()
    });
    assert!(fixture.live_bytes() > 0, "what is not hoisted stays");
    for (hoisted, each) in hoisted.iter().zip(&each) {
        assert_eq!(fixture.forward(hoisted), fixture.forward(each));
    }
}

#[test]
fn load_model_chunked_gives_the_same_bits_at_any_chunk_size() {
    let expected = resident();
    let fixture = Fixture::new(MemoryOptions::default());
    let blocks = fixture.model.blocks();
    for chunk_bytes in [1, 63, 4096, usize::MAX >> 24] {
        blocks.evict_all();
        blocks.memory().set_chunk_bytes(chunk_bytes);
        assert_eq!(fixture.run().unwrap(), expected, "{chunk_bytes}");
    }
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
    let embeddings = embeddings();
    for capacity_bytes in (one..total).step_by(one as usize / 3) {
        let fixture = Fixture::with_capacity(capacity_bytes);
        let blocks = fixture.model.blocks();
        let loaded = load_model_chunked(blocks, 1).unwrap();
        assert!(loaded.streamed_blocks > 0, "{capacity_bytes}");
        assert!(fixture.live_bytes() <= capacity_bytes);
        let _no_grad = tch::no_grad_guard();
        for (step, expected) in embeddings.iter().zip(&expected) {
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
fn a_model_of_which_not_one_block_fits_is_refused_and_leaves_nothing() {
    let fixture = Fixture::with_capacity(100);
    let error = load_model_chunked(fixture.model.blocks(), 1).unwrap_err();
    assert!(matches!(error, Error::OutOfMemory { .. }), "{error}");
    assert_eq!(fixture.live_bytes(), 0);
}

#[test]
fn whichever_allocation_fails_nothing_is_left_and_the_retry_succeeds() {
    let expected = resident();
    let fixture = Fixture::new(MemoryOptions::default());
    let blocks = fixture.model.blocks();
    let faults = || blocks.memory().vram().faults();
    let residency = Residency::interleaved(BLOCKS, 2, 2);
    blocks.place(residency.clone());
    faults().stop();
    fixture.run().unwrap();
    let allocations = faults().stop();
    assert_eq!(allocations, 1 + 2 + 2 + 2, "slots, and two residents");

    // Twice in a row and for good: a single failure is tried again at once.
    for count in [1, 2, u64::MAX] {
        for number in 0..allocations {
            blocks.place(residency.clone());
            blocks.evict_all();
            faults().fail(number, count);
            let outcome = fixture.run();
            let struck = faults().stop() > number;
            assert!(struck, "allocation {number} was not reached");
            match outcome {
                Ok(results) => assert_eq!(results, expected, "allocation {number}"),
                Err(Error::OutOfMemory { .. }) => assert!(count > 1),
                Err(error) => panic!("allocation {number}: {error}"),
            }
            fixture.model.evict_all();
            assert_eq!(fixture.live_bytes(), 0, "allocation {number}");
            assert_eq!(fixture.run().unwrap(), expected, "after {number}");
        }
    }
}

#[test]
fn preservation_leaves_what_is_to_be_preserved() {
    let expected = resident();
    let total = Fixture::new(MemoryOptions::default()).total_bytes();
    let embeddings = embeddings();
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
            for (step, expected) in embeddings.iter().zip(&expected) {
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
    let checkpoint = Checkpoint::synthesised(1);
    let weights = checkpoint.weights(Device::Cpu, Kind::Float);
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
