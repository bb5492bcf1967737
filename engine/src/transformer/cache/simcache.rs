//! SimCache: each block by itself, whose residual is reused while its input points in about the same direction.
//!
//! What the Python application's SimCache was meant to be (spec: seed-features §5.3), with residuals instead of outputs,
//! compared with the block's latest computed step, and limited in a row. A block's input is measured by its mean over
//! the image tokens, in f32.
//!
//! All decisions of a step are made before its first block, with one read from the device, so that blocks that are reused
//! need not be brought there. For that, each block's mean input is foreseen: the step's own at the first block, and behind
//! it the mean residual that each block had last. Means and residuals add up, so that the foreseen input is the very
//! input of a block as long as those before it are reused.

use std::ops::ControlFlow;

use tch::{Kind, Tensor};

use super::{
    pass::Pass,
    rule::{Budget, Limits},
    steps::{StepRecord, Steps},
};
use crate::transformer::{block::Block, streams::Streams};

/// The state of a branch.
#[derive(Debug)]
pub(in crate::transformer) struct SimilarityCache {
    limits: Limits,
    budget: Budget,
    blocks: Vec<BlockState>,
}

/// What is known of a block from the latest step that computed it.
#[derive(Debug)]
struct BlockState {
    /// Mean of its input over the image tokens, (D) f32.
    input: Tensor,
    /// Mean of what it added to them, (D) f32.
    added: Tensor,
    /// What it added to both streams, (1, L + N, D); `None` outside the budget.
    residual: Option<Tensor>,
    reused_in_row: u32,
}

impl SimilarityCache {
    pub(super) fn new(limits: Limits, budget: Budget) -> Self {
        Self {
            limits,
            budget,
            blocks: Vec::new(),
        }
    }

    /// The image stream behind the last block.
    pub(super) fn run(&mut self, steps: &mut Steps, pass: &Pass<'_>, streams: Streams) -> Tensor {
        let is_decided = steps.is_computed_in_any_case()
            || !self.blocks.iter().any(|block| self.may_reuse(block));
        let similarities = if is_decided {
            Vec::new()
        } else {
            self.similarities(&streams.image())
        };
        let reused = self.reused(&similarities);
        steps.note(StepRecord {
            is_computed: !reused.contains(&true),
            distance: similarities.iter().copied().reduce(f64::min),
            reused_blocks: Some(reused.iter().filter(|reused| **reused).count() as u32),
        });
        self.pass(pass, streams, &reused)
    }

    /// Cosines of each block's foreseen input and the one of its latest computed step.
    fn similarities(&self, image: &Tensor) -> Vec<f64> {
        let inputs: Vec<&Tensor> = self.blocks.iter().map(|block| &block.input).collect();
        let added: Vec<&Tensor> = self.blocks.iter().map(|block| &block.added).collect();
        let inputs = Tensor::stack(&inputs, 0); // (blocks, D)
        let added = Tensor::stack(&added, 0); // (blocks, D)
        let before = added.cumsum(0, Kind::Float) - &added; // by the blocks before each
        let foreseen = before + token_mean(image);
        let cosines = Tensor::cosine_similarity(&foreseen, &inputs, 1, 1e-8).clamp_max(1.); // (blocks)
        let cosines = Vec::<f64>::try_from(cosines.to_kind(Kind::Double));
        cosines.expect("a flat tensor")
    }

    /// Which blocks are reused; all are computed where nothing was compared.
    fn reused(&self, similarities: &[f64]) -> Vec<bool> {
        let decide = |(block, similarity): (&BlockState, &f64)| {
            self.may_reuse(block) && *similarity > self.limits.threshold
        };
        self.blocks.iter().zip(similarities).map(decide).collect()
    }

    /// Whether a block may be reused if its input is similar.
    fn may_reuse(&self, block: &BlockState) -> bool {
        block.residual.is_some() && !self.limits.is_reached(block.reused_in_row)
    }

    fn pass(&mut self, pass: &Pass<'_>, streams: Streams, reused: &[bool]) -> Tensor {
        let is_reused = |number: usize| reused.get(number).copied().unwrap_or(false);
        let blocks = pass.blocks.len();
        let first_kept = self.budget.first_kept(blocks, bytes_of_block(&streams));
        let is_first_step = self.blocks.is_empty();
        let mut streams = Some(streams);
        let mut next = 0;
        pass.blocks.for_each_of(
            |number| !is_reused(number),
            |number, block| {
                let before = streams.take().expect("each block leaves the streams");
                let before = self.reuse(next..number, before);
                if let Some(block) = self.blocks.get_mut(number) {
                    block.residual = None; // makes room for the next one
                }
                let (behind, state) =
                    computed(pass, (number, block), &before, number >= first_kept);
                if is_first_step {
                    self.blocks.push(state);
                } else {
                    self.blocks[number] = state;
                }
                streams = Some(behind);
                next = number + 1;
                ControlFlow::Continue(())
            },
        );
        let streams = streams.expect("each block leaves the streams");
        self.reuse(next..blocks, streams).image()
    }

    /// The streams behind blocks that are not computed.
    fn reuse(&mut self, numbers: std::ops::Range<usize>, streams: Streams) -> Streams {
        let mut blocks = self.blocks.iter_mut().take(numbers.end).skip(numbers.start);
        blocks
            .try_fold(streams, |before, block| {
                block.reused_in_row += 1;
                let residual = block.residual.as_ref()?;
                let image_tokens = before.image_tokens();
                Some(Streams::joint(before.both() + residual, image_tokens))
            })
            .expect("only blocks with a residual are reused")
    }
}

/// The streams behind a block, and what is kept of it.
fn computed(
    pass: &Pass<'_>,
    block: (usize, &Block),
    before: &Streams,
    keeps_residual: bool,
) -> (Streams, BlockState) {
    let input = token_mean(&before.image());
    let behind = pass.block(block, before, super::Kept::Nothing);
    let added = token_mean(&behind.image()) - &input;
    let residual = keeps_residual.then(|| behind.both() - before.both());
    let state = BlockState {
        input,
        added,
        residual,
        reused_in_row: 0,
    };
    (behind, state)
}

/// (1, L, D) → (D) in f32
fn token_mean(image: &Tensor) -> Tensor {
    image.mean_dim(&[0_i64, 1][..], false, Kind::Float)
}

/// The residuals of a block.
fn bytes_of_block(streams: &Streams) -> u64 {
    let both = streams.both();
    (both.numel() * both.kind().elt_size_in_bytes()) as u64
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;

    const F32: (Kind, Device) = (Kind::Float, Device::Cpu);

    /// A block whose input had this mean, and which added this.
    fn block(input: [f32; 2], added: [f32; 2]) -> BlockState {
        BlockState {
            input: Tensor::from_slice(&input),
            added: Tensor::from_slice(&added),
            residual: Some(Tensor::ones([1, 6, 2], F32)),
            reused_in_row: 0,
        }
    }

    fn cache(max_skip: Option<u32>) -> SimilarityCache {
        let limits = Limits {
            threshold: 0.9,
            max_skip,
            retention: 0.,
        };
        SimilarityCache {
            blocks: vec![
                block([1., 0.], [0., 3.]),
                block([1., 3.], [3., 0.]),
                block([4., 3.], [0., 0.]),
            ],
            ..SimilarityCache::new(limits, Budget::default())
        }
    }

    #[test]
    fn inputs_are_foreseen_from_residuals() {
        let cache = cache(None);
        // Tokens with a mean of (1, 1): before the blocks (1, 1), then (1, 4), then (4, 4).
        let image = Tensor::from_slice(&[0_f32, 0., 2., 2.]).view([1, 2, 2]);
        let similarities = cache.similarities(&image);
        let expected = [0.5_f64.sqrt(), 13. / 170_f64.sqrt(), 28. / 800_f64.sqrt()];
        for (found, expected) in similarities.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{similarities:?}");
        }
        assert_eq!(cache.reused(&similarities), [false, true, true]);
    }

    #[test]
    fn each_block_has_its_own_limits() {
        let mut cache = cache(Some(1));
        cache.blocks[1].reused_in_row = 1;
        cache.blocks[2].residual = None;
        assert_eq!(cache.reused(&[0.95, 0.95, 0.95]), [true, false, false]);
        assert_eq!(cache.reused(&[0.9, 0.95, 0.95]), [false; 3]);
        assert!(cache.reused(&[]).is_empty());
    }

    #[test]
    fn residuals_of_neighbours_add_up() {
        let mut cache = cache(None);
        let streams = Streams::joint(Tensor::zeros([1, 6, 2], F32), 3);
        let behind = cache.reuse(1..3, streams);
        assert_eq!(behind.image(), Tensor::full([1, 3, 2], 2., F32));
        assert_eq!(behind.text(), behind.image());
        let in_row: Vec<u32> = cache
            .blocks
            .iter()
            .map(|block| block.reused_in_row)
            .collect();
        assert_eq!(in_row, [0, 1, 1]);
    }
}
