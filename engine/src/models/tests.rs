//! A small transformer under every way of holding its weights: the results are the same bit for bit.

mod original;
mod settings;

use std::rc::Rc;

use tch::{Device, Kind, Tensor};

use super::{hoist, transformer::evict_weights};
use crate::{
    device,
    error::Error,
    kernels::Kernels,
    nn::attention::Backend,
    offload::{FreeSlots, Memory, MemoryOptions, Residency},
    transformer::{
        Conditioning, Config, Context, PackedTransformer, StepCache, StepConditioning, StepInputs,
        TransformerInputs,
    },
    weights::Loading,
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
        let loading = Loading::synthesised(1);
        let weights = loading.weights(Device::Cpu, Kind::Float);
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

    /// Computed by kernels, or by what does their work on a processor.
    fn with_kernels(self) -> Self {
        let kernels = Rc::new(Kernels::new(Device::Cpu));
        Self {
            model: self.model.with_kernels(&kernels),
            ..self
        }
    }

    fn with_capacity(capacity_bytes: u64) -> Self {
        Self::new(MemoryOptions {
            capacity_bytes: Some(capacity_bytes),
            ..MemoryOptions::default()
        })
    }

    /// The same, hoisted.
    fn hoisted(&self) -> Vec<StepConditioning> {
        at_two_timesteps(|step_inputs| {
            hoist(&self.model, || {
                self.model.condition(step_inputs, &self.conditioning)
            })
        })
    }

    fn forward(&self, conditioning: &StepConditioning) -> Tensor {
        let context = self.model.pack(&self.context, &self.latents.size());
        let inputs = TransformerInputs {
            hidden_states: &self.latents,
            conditioning,
            context: &context,
            attention: Backend::Torch,
            profile: None,
        };
        self.model.forward(&inputs, &mut StepCache::default())
    }

    /// Two steps, one after the other.
    fn run(&self) -> Result<Vec<Tensor>, Error> {
        let _no_grad = tch::no_grad_guard();
        device::catch(|| {
            let steps = self.hoisted();
            Ok(steps.iter().map(|step| self.forward(step)).collect())
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

/// What `evaluate` makes of two steps.
fn at_two_timesteps(
    evaluate: impl Fn(&[StepInputs<'_>]) -> Vec<StepConditioning>,
) -> Vec<StepConditioning> {
    let scalars = [872.0_f32, 311.0].map(|value| Tensor::from_slice(&[value]));
    let step_inputs = scalars.each_ref().map(|timestep| StepInputs {
        timestep,
        guidance: Some(&scalars[0]),
    });
    evaluate(&step_inputs)
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

/// Both steps' conditioning, from a model of which all fits.
fn steps() -> Vec<StepConditioning> {
    let _no_grad = tch::no_grad_guard();
    let fixture = Fixture::new(MemoryOptions::default());
    fixture.hoisted()
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
fn kernels_give_the_same_bits_wherever_the_blocks_are() {
    let reference = resident();
    let fixture = Fixture::new(MemoryOptions {
        free_slots: FreeSlots::Poisoned,
        ..MemoryOptions::default()
    });
    let fixture = fixture.with_kernels();
    let expected = fixture.run().unwrap();
    for (found, reference) in expected.iter().zip(&reference) {
        let apart = (found - reference).norm() / reference.norm();
        assert!(apart.double_value(&[]) < 1e-6, "{apart:?}");
    }
    for residents in 0..=BLOCKS {
        for slots in 1..=3 {
            let residency = Residency::interleaved(BLOCKS, residents, slots);
            fixture.model.blocks().place(residency);
            assert_eq!(
                fixture.run().unwrap(),
                expected,
                "{residents} resident, {slots} slots"
            );
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
    let hoisted = fixture.hoisted();
    let live_bytes = fixture.live_bytes();
    assert_eq!(live_bytes, 0, "what was hoisted left the device");
    let each = at_two_timesteps(|step_inputs| {
        let one = |moment: &StepInputs<'_>| {
            let conditioned = fixture.model.condition(&[*moment], &fixture.conditioning);
            fixture.model.modulate(conditioned).remove(0)
        };
        step_inputs.iter().map(one).collect()
    });
    assert!(fixture.live_bytes() > 0, "what is not hoisted stays");
    for (hoisted, each) in hoisted.iter().zip(&each) {
        assert_eq!(fixture.forward(hoisted), fixture.forward(each));
    }
}

#[test]
fn hoisting_again_has_the_rings_memory() {
    let expected = resident();
    let residency = Residency::interleaved(BLOCKS, 2, 2);
    let streaming_bytes = {
        let fixture = Fixture::new(MemoryOptions::default());
        fixture.model.blocks().place(residency.clone());
        fixture.run().unwrap();
        fixture.live_bytes()
    };
    let hoists_in = |bytes: &u64| {
        let _no_grad = tch::no_grad_guard();
        let fixture = Fixture::with_capacity(*bytes);
        device::catch(|| Ok(fixture.hoisted())).is_ok()
    };
    let mut capacities = (1..).map(|kibibytes: u64| kibibytes << 10);
    let hoisting_bytes = capacities.find(hoists_in).expect("it fits somewhere");
    let ring_bytes = 2 * Fixture::new(MemoryOptions::default()).largest_block_bytes();
    assert!(hoisting_bytes > ring_bytes, "the ring alone is not enough");
    // As the plan counts: the ring and hoisting are not there at the same time.
    let capacity_bytes = streaming_bytes - ring_bytes + ring_bytes.max(hoisting_bytes);
    let fixture = Fixture::with_capacity(capacity_bytes);
    fixture.model.blocks().place(residency.clone());
    for job in 1..=2 {
        assert_eq!(fixture.run().unwrap(), expected, "job {job}");
        assert_eq!(fixture.model.blocks().residency(), residency, "job {job}");
    }
}

#[test]
fn there_are_no_more_slots_than_streamed_blocks() {
    let expected = resident();
    let fixture = Fixture::new(MemoryOptions::default());
    let blocks = fixture.model.blocks();
    for residents in 0..=BLOCKS {
        blocks.place(Residency::first(BLOCKS, residents, usize::MAX));
        assert_eq!(fixture.run().unwrap(), expected, "{residents} resident");
        let residents_bytes: u64 = blocks.block_bytes()[..residents].iter().sum();
        let slots_bytes = blocks.device_bytes() - residents_bytes;
        let streamed = (BLOCKS - residents) as u64;
        assert!(slots_bytes <= streamed * fixture.largest_block_bytes());
    }
}

#[test]
fn a_resident_that_does_not_fit_is_streamed_through_slots_of_its_size() {
    let expected = resident();
    let steps = steps();
    let (total, bytes) = {
        let fixture = Fixture::new(MemoryOptions::default());
        (fixture.total_bytes(), fixture.model.blocks().block_bytes())
    };
    assert!(
        bytes[0] > bytes[BLOCKS - 1],
        "double-stream blocks are larger"
    );
    let all = Residency::first(BLOCKS, BLOCKS, 2);
    // The slot is made for a small block, and then a large one does not fit.
    let small_slot = Residency {
        resident: (0..BLOCKS).map(|number| number < BLOCKS - 1).collect(),
        ..Residency::first(BLOCKS, BLOCKS, 1)
    };
    let for_small_slot = bytes[BLOCKS - 1] + bytes[0] + bytes[1] / 2;
    for (residency, capacity_bytes) in [
        (all.clone(), total - 1),
        (all, total / 2),
        (small_slot, for_small_slot),
    ] {
        let fixture = Fixture::with_capacity(capacity_bytes);
        fixture.model.blocks().place(residency);
        let _no_grad = tch::no_grad_guard();
        for (step, expected) in steps.iter().zip(&expected) {
            assert_eq!(&fixture.forward(step), expected, "{capacity_bytes}");
        }
        let residency = fixture.model.blocks().residency();
        assert!(residency.residents() < BLOCKS && residency.slots > 0);
        assert!(fixture.live_bytes() <= capacity_bytes);
    }
}

#[test]
fn copies_that_are_no_longer_chosen_leave_host_memory() {
    let expected = resident();
    let fixture = Fixture::new(MemoryOptions::default());
    let blocks = fixture.model.blocks();
    let bytes = blocks.block_bytes();
    blocks.place(Residency::first(BLOCKS, 0, 2));
    for number in [1, 3] {
        let chosen: Vec<_> = (0..BLOCKS).map(|block| block == number).collect();
        blocks.fill_host(&chosen).unwrap();
        blocks.wait_for_host();
        assert_eq!(blocks.host_bytes(), bytes[number], "block {number}");
    }
    assert_eq!(fixture.run().unwrap(), expected);
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
    let good_bytes = fixture.live_bytes();
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
            // Blocks keep their places for the next run, as after a good one; beside those nothing is left.
            let left_bytes = fixture.live_bytes();
            assert_eq!(left_bytes, blocks.device_bytes(), "allocation {number}");
            assert!(left_bytes <= good_bytes, "allocation {number}");
            assert_eq!(fixture.run().unwrap(), expected, "after {number}");
            evict_weights(&fixture.model);
            assert_eq!(fixture.live_bytes(), 0, "allocation {number}");
        }
    }
}
