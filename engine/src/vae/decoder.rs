//! Latents → pixels (diffusers' `HunyuanVideoDecoder3D`).

use tch::Tensor;

use super::causal::{CausalConv3d, NormSilu, Resnets, Upsample};
use super::config::Config;
use super::mid::MidBlock;
use super::scheme::Precision;
use crate::weights::{Weights, WeightsError};

/// The decoder without `post_quant_conv`.
#[derive(Debug)]
pub(super) struct Decoder {
    conv_in: CausalConv3d,
    mid_block: MidBlock,
    up_blocks: Vec<UpBlock>,
    conv_norm_out: NormSilu,
    conv_out: CausalConv3d,
}

impl Decoder {
    pub(super) fn load(w: &Weights<'_>, config: &Config) -> Result<Self, WeightsError> {
        let channels: Vec<i64> = config.block_out_channels.iter().rev().copied().collect();
        let (first, last) = (channels[0], channels[channels.len() - 1]);
        let conv = |name, in_channels, out_channels| {
            CausalConv3d::load(&w.pp(name), in_channels, out_channels, 3, [1, 1, 1])
        };
        let up_block = |i: usize| {
            let from = channels[i.saturating_sub(1)];
            UpBlock::load(&w.pp("up_blocks").pp(i), i, [from, channels[i]], config)
        };
        Ok(Self {
            conv_in: conv("conv_in", config.latent_channels, first)?,
            mid_block: MidBlock::load(&w.pp("mid_block"), first, config)?,
            up_blocks: (0..channels.len())
                .map(up_block)
                .collect::<Result<_, _>>()?,
            conv_norm_out: NormSilu::load(&w.pp("conv_norm_out"), config.norm_num_groups, last)?,
            conv_out: conv("conv_out", last, config.out_channels)?,
        })
    }

    /// (B, latent channels, T, h, w) → (B, 3, 4(T−1)+1, 8h, 8w)
    pub(super) fn forward(&self, latents: &Tensor, precision: Precision) -> Tensor {
        let x = self.conv_in.forward(latents);
        let mut x = self.mid_block.forward(&precision.of_sums(x));
        for block in &self.up_blocks {
            x = precision.of_sums(block.forward(x));
        }
        let conv_out = self.conv_out.to_kind(x.kind());
        conv_out.forward(&self.conv_norm_out.forward(&x))
    }
}

/// One level: resnets, then upsampling (diffusers' `HunyuanVideoUpBlock3D`).
#[derive(Debug)]
struct UpBlock {
    resnets: Resnets,
    upsampler: Option<Upsample>,
}

impl UpBlock {
    fn load(
        w: &Weights<'_>,
        level: usize,
        [from, to]: [i64; 2],
        config: &Config,
    ) -> Result<Self, WeightsError> {
        let count = config.layers_per_block + 1;
        let resnets = Resnets::load(&w.pp("resnets"), [from, to], count, config)?;
        let upsampler = |factors| Upsample::load(&w.pp("upsamplers.0"), to, factors);
        Ok(Self {
            resnets,
            upsampler: config.resampling(level).map(upsampler).transpose()?,
        })
    }

    /// (B, from, T, H, W) → (B, to, 1 + ft·(T−1), fh·H, fw·W)
    fn forward(&self, x: Tensor) -> Tensor {
        let x = self.resnets.forward(x);
        match &self.upsampler {
            Some(upsampler) => upsampler.forward(&x),
            None => x,
        }
    }
}
