//! Pixels → latent distribution (diffusers' `HunyuanVideoEncoder3D`).

use tch::Tensor;

use super::causal::{CausalConv3d, NormSilu, Resnets};
use super::config::Config;
use super::mid::MidBlock;
use super::steps::Along;
use crate::weights::{Weights, WeightsError};

/// The encoder without `quant_conv`.
#[derive(Debug)]
pub(super) struct Encoder {
    conv_in: CausalConv3d,
    down_blocks: Vec<DownBlock>,
    mid_block: MidBlock,
    conv_norm_out: NormSilu,
    conv_out: CausalConv3d,
}

impl Encoder {
    pub(super) fn load(w: &Weights<'_>, config: &Config) -> Result<Self, WeightsError> {
        let channels = &config.block_out_channels;
        let (first, last) = (channels[0], channels[channels.len() - 1]);
        let conv = |name, in_channels, out_channels| {
            CausalConv3d::load(&w.pp(name), in_channels, out_channels, 3, [1, 1, 1])
        };
        let down_block = |i: usize| {
            let from = channels[i.saturating_sub(1)];
            DownBlock::load(&w.pp("down_blocks").pp(i), i, [from, channels[i]], config)
        };
        Ok(Self {
            conv_in: conv("conv_in", config.in_channels, first)?,
            down_blocks: (0..channels.len())
                .map(down_block)
                .collect::<Result<_, _>>()?,
            mid_block: MidBlock::load(&w.pp("mid_block"), last, config)?,
            conv_norm_out: NormSilu::load(&w.pp("conv_norm_out"), config.norm_num_groups, last)?,
            conv_out: conv("conv_out", last, 2 * config.latent_channels)?,
        })
    }

    /// (B, 3, F, H, W) → (B, 2·latent channels, (F−1)/4+1, H/8, W/8)
    pub(super) fn forward(&self, pixels: &Tensor) -> Tensor {
        let along = &mut Along::AllFrames;
        let mut x = self.conv_in.forward(pixels.shallow_clone(), along);
        for block in &self.down_blocks {
            x = block.forward(x, along);
        }
        let x = self.mid_block.forward(&x, along);
        let x = self.conv_norm_out.forward(&x, along);
        self.conv_out.forward(x, along)
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

    /// (B, from, T, H, W) → (B, to, ⌈T/st⌉, ⌈H/sh⌉, ⌈W/sw⌉)
    fn forward(&self, x: Tensor, along: &mut Along<'_>) -> Tensor {
        let x = self.resnets.forward(x, along);
        match &self.downsampler {
            Some(conv) => conv.forward(x, along),
            None => x,
        }
    }
}
