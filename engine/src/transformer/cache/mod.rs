//! Step caches: what a step may reuse of an earlier one instead of computing every block.
//!
//! A cache is the state of one branch of the guidance in one section, so that nothing of another branch, section or
//! size can get into it: whoever begins a section begins with new ones.

use super::block::{Block, Streams};
use crate::offload::DynamicSwap;

/// How the blocks are gone through at each step, and what that needs to know of the steps before.
#[derive(Debug, Default)]
pub enum StepCache {
    /// Every step computes every block.
    #[default]
    Off,
}

impl StepCache {
    /// The streams behind the last of `blocks`, from those before the first; `compute` computes the block of a number.
    pub(super) fn run(
        &mut self,
        blocks: &DynamicSwap<Block>,
        streams: Streams,
        compute: impl Fn(usize, &Block, Streams) -> Streams,
    ) -> Streams {
        match self {
            Self::Off => every_block(blocks, streams, compute),
        }
    }
}

fn every_block(
    blocks: &DynamicSwap<Block>,
    streams: Streams,
    compute: impl Fn(usize, &Block, Streams) -> Streams,
) -> Streams {
    let mut streams = Some(streams);
    blocks.for_each(|number, block| {
        let before = streams.take().expect("each block leaves the streams");
        streams = Some(compute(number, block, before));
    });
    streams.expect("each block leaves the streams")
}
