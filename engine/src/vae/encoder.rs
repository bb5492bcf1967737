//! Pixels → latent distribution (diffusers' `HunyuanVideoEncoder3D`).

use tch::Tensor;

use super::causal::{CausalConv3d, NormedConv, Resnets};
use super::config::Config;
use super::frames::Frames;
use super::mid::MidBlock;
use super::steps::Along;
use crate::weights::{Weights, WeightsError};

/// The encoder without `quant_conv`.
#[derive(Debug)]
pub(super) struct Encoder {
    conv_in: CausalConv3d,
    down_blocks: Vec<DownBlock>,
    mid_block: MidBlock,
    out: NormedConv,
}

impl Encoder {
    pub(super) fn load(w: &Weights<'_>, config: &Config) -> Result<Self, WeightsError> {
        let channels = &config.block_out_channels;
        let (first, last) = (channels[0], channels[channels.len() - 1]);
        let down_block = |i: usize| {
            let from = channels[i.saturating_sub(1)];
            DownBlock::load(&w.pp("down_blocks").pp(i), i, [from, channels[i]], config)
        };
        Ok(Self {
            conv_in: CausalConv3d::load(&w.pp("conv_in"), config.in_channels, first, 3, [1, 1, 1])?,
            down_blocks: (0..channels.len())
                .map(down_block)
                .collect::<Result<_, _>>()?,
            mid_block: MidBlock::load(&w.pp("mid_block"), last, config)?,
            out: NormedConv::load(
                w,
                [last, 2 * config.latent_channels],
                config.norm_num_groups,
            )?,
        })
    }

    /// Prepares the weights for frames with channels last.
    pub(super) fn pack(&mut self) {
        self.conv_in.pack();
        self.down_blocks.iter_mut().for_each(DownBlock::pack);
        self.mid_block.pack();
        self.out.pack();
    }

    /// Frames of 3 channels, F × H × W → (B, 2·latent channels, (F−1)/4+1, H/8, W/8)
    pub(super) fn forward(&self, pixels: Frames) -> Tensor {
        let along = &mut Along::AllFrames;
        let mut frames = self.conv_in.forward(pixels, along);
        for block in &self.down_blocks {
            frames = block.forward(frames, along);
        }
        let frames = self.mid_block.forward(frames, along);
        self.out.forward(frames, along)
    }
}

/// One level: resnets, then a strided convolution (diffusers' `HunyuanVideoDownBlock3D`).
#[derive(Debug)]
struct DownBlock {
    resnets: Resnets,
    downsampler: Option<CausalConv3d>,
}

impl DownBlock {
    fn load(
        w: &Weights<'_>,
        level: usize,
        [from, to]: [i64; 2],
        config: &Config,
    ) -> Result<Self, WeightsError> {
        let count = config.layers_per_block;
        let resnets = Resnets::load(&w.pp("resnets"), [from, to], count, config)?;
        let downsampler =
            |stride| CausalConv3d::load(&w.pp("downsamplers.0.conv"), to, to, 3, stride);
        Ok(Self {
            resnets,
            downsampler: config.resampling(level).map(downsampler).transpose()?,
        })
    }

    fn pack(&mut self) {
        self.resnets.pack();
        if let Some(conv) = &mut self.downsampler {
            conv.pack();
        }
    }

    /// T frames of H × W → ⌈T/st⌉ frames of ⌈H/sh⌉ × ⌈W/sw⌉
    fn forward(&self, frames: Frames, along: &mut Along<'_>) -> Frames {
        let frames = self.resnets.forward(frames, along);
        match &self.downsampler {
            Some(conv) => conv.forward(frames, along),
            None => frames,
        }
    }
}
