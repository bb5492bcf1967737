//! One evaluation's way through the blocks, as step caches direct it.

use std::ops::ControlFlow;

use tch::Tensor;

use crate::{
    nn::attention::Backend,
    offload::DynamicSwap,
    transformer::{
        arithmetic::Arithmetic,
        block::Block,
        conditioner::StepConditioning,
        key_values::{Attending, Kept},
        modulation::{DOUBLE_VECTORS, ModulationVectors, SINGLE_VECTORS, vectors},
        rope::Rope,
        streams::Streams,
    },
};

/// What an evaluation goes through the blocks with.
#[derive(Debug, Clone, Copy)]
pub(in crate::transformer) struct Pass<'a> {
    pub(in crate::transformer) blocks: &'a DynamicSwap<Block>,
    pub(in crate::transformer) conditioning: &'a StepConditioning,
    /// Positions of the image tokens.
    pub(in crate::transformer) rope: &'a Rope,
    pub(in crate::transformer) attention: Backend,
    pub(in crate::transformer) arithmetic: Arithmetic<'a>,
    /// Latents, the last of the image tokens.
    pub(in crate::transformer) latent_tokens: i64,
}

impl Pass<'_> {
    /// The streams behind the last block.
    pub(super) fn every_block(&self, streams: Streams) -> Streams {
        self.through(streams, |block, before| {
            ControlFlow::Continue(self.block(block, &before, Kept::Nothing))
        })
    }

    /// The streams behind the last block, or behind the first at which `compute` breaks: it makes of a block, with its
    /// number, and of the streams before it those behind it.
    pub(super) fn through(
        &self,
        streams: Streams,
        mut compute: impl FnMut((usize, &Block), Streams) -> ControlFlow<Streams, Streams>,
    ) -> Streams {
        let mut streams = Some(streams);
        self.blocks.for_each_of(
            |_| true,
            |number, block| {
                let before = streams.take().expect("each block leaves the streams");
                let (behind, flow) = match compute((number, block), before) {
                    ControlFlow::Continue(behind) => (behind, ControlFlow::Continue(())),
                    ControlFlow::Break(behind) => (behind, ControlFlow::Break(())),
                };
                streams = Some(behind);
                flow
            },
        );
        streams.expect("each block leaves the streams")
    }

    /// The streams behind one block.
    pub(super) fn block(
        &self,
        (number, block): (usize, &Block),
        streams: &Streams,
        kept: Kept<'_>,
    ) -> Streams {
        let attending = Attending {
            rope: self.rope,
            backend: self.attention,
            arithmetic: self.arithmetic,
            kept,
        };
        block.forward(streams, &self.conditioning.modulation[number], attending)
    }

    /// Shift and scale of the image tokens before the first block's attention, (1, 1, D) each.
    pub(super) fn first_shift_and_scale(&self) -> [Tensor; 2] {
        match self.conditioning.modulation.first() {
            Some(ModulationVectors::Double { image, .. }) => {
                let [shift, scale, ..] = vectors::<DOUBLE_VECTORS>(image);
                [shift, scale]
            }
            Some(ModulationVectors::Single(joint)) => {
                let [shift, scale, _] = vectors::<SINGLE_VECTORS>(joint);
                [shift, scale]
            }
            None => unreachable!("a transformer has a block"),
        }
    }
}
