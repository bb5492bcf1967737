//! Keys and values of what the latents attend to, kept between steps: text, image, and the frames around the section.
//!
//! Those tokens enter the model as they are at every step, and change on the way through the blocks only with the timestep
//! and by attending to the latents. Every so many steps all tokens are computed, and each block leaves its keys and values
//! of these; in the steps between, the latents alone go through the blocks and attend to what was left. Within a byte
//! budget only the last blocks keep any: the tokens are computed up to the first of them. Which steps are which is known
//! in advance, so that nothing is read from the device. (The Python application's KV cache was never used; spec:
//! seed-features §5.4.)

use std::ops::ControlFlow;

use tch::Tensor;

use super::{
    pass::Pass,
    rule::Budget,
    steps::{StepRecord, Steps},
};
use crate::transformer::{
    key_values::{Kept, KeyValues},
    streams::Streams,
};

/// The state of a branch.
#[derive(Debug)]
pub(in crate::transformer) struct KeyValueCache {
    refresh: u32,
    budget: Budget,
    /// Of each block, as far as the budget goes.
    kept: Vec<Option<KeyValues>>,
}

impl KeyValueCache {
    pub(super) fn new(refresh: u32, budget: Budget) -> Self {
        Self {
            refresh,
            budget,
            kept: Vec::new(),
        }
    }

    /// The image stream behind the last block; of a step that reuses, its latents alone.
    pub(super) fn run(&mut self, steps: &mut Steps, pass: &Pass<'_>, streams: Streams) -> Tensor {
        let is_computed =
            steps.is_computed_in_any_case() || steps.reused_in_row() + 1 >= self.refresh;
        steps.note(StepRecord::whole(is_computed, None));
        if is_computed {
            self.compute(pass, streams)
        } else {
            self.reuse(pass, streams)
        }
    }

    fn compute(&mut self, pass: &Pass<'_>, streams: Streams) -> Tensor {
        let blocks = pass.blocks.len();
        let image_tokens = streams.image_tokens();
        let first_kept = self
            .budget
            .first_kept(blocks, bytes_of_block(pass, &streams));
        self.kept = (0..blocks).map(|_| None).collect();
        let behind = pass.through(streams, |(number, block), before| {
            let kept = if number < first_kept {
                Kept::Nothing
            } else {
                Kept::Leaves {
                    latent_tokens: pass.latent_tokens,
                    image_tokens,
                    place: &mut self.kept[number],
                }
            };
            ControlFlow::Continue(pass.block((number, block), &before, kept))
        });
        behind.image()
    }

    fn reuse(&self, pass: &Pass<'_>, streams: Streams) -> Tensor {
        let rope = pass.rope.last(pass.latent_tokens);
        let of_latents = Pass {
            rope: &rope,
            ..*pass
        };
        let mut are_latents_alone = false;
        let behind = pass.through(streams, |(number, block), before| {
            ControlFlow::Continue(match &self.kept[number] {
                None => pass.block((number, block), &before, Kept::Nothing),
                Some(kept) => {
                    let before = if are_latents_alone {
                        before
                    } else {
                        before.latents_alone(pass.latent_tokens)
                    };
                    are_latents_alone = true;
                    of_latents.block((number, block), &before, Kept::Takes(kept))
                }
            })
        });
        behind.image()
    }
}

/// Keys and values that a block leaves.
fn bytes_of_block(pass: &Pass<'_>, streams: &Streams) -> u64 {
    let hidden = *streams.both().size().last().expect("tokens have channels");
    let tokens = streams.image_tokens() - pass.latent_tokens + streams.text_tokens();
    let numbers = (2 * tokens * hidden).unsigned_abs();
    numbers * streams.both().kind().elt_size_in_bytes() as u64
}
