//! Latents → pixels (diffusers' `HunyuanVideoDecoder3D`).

use tch::Tensor;

use super::causal::{CausalConv3d, NormSilu, Resnets, Upsample};
use super::config::Config;
use super::mid::MidBlock;
use super::scheme::{DecodeScheme, FinestLevel, Precision};
use super::steps::{Along, Steps};
use super::tiles::TIME;
use crate::weights::{Weights, WeightsError};

/// The decoder without `post_quant_conv`.
#[derive(Debug)]
pub(super) struct Decoder {
    conv_in: CausalConv3d,
    mid_block: MidBlock,
    coarser: Vec<UpBlock>,
    last_coarse: Resnets,
    upsampler: Upsample,
    finest: Resnets,
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
        let widths = |i: usize| [channels[i.saturating_sub(1)], channels[i]];
        let up_block = |i| UpBlock::load(&w.pp("up_blocks").pp(i), i, widths(i), config);
        let finest = channels.len() - 1;
        let last_coarse = up_block(finest - 1)?;
        Ok(Self {
            conv_in: conv("conv_in", config.latent_channels, first)?,
            mid_block: MidBlock::load(&w.pp("mid_block"), first, config)?,
            coarser: (0..finest - 1).map(up_block).collect::<Result<_, _>>()?,
            last_coarse: last_coarse.resnets,
            upsampler: last_coarse
                .upsampler
                .expect("time is doubled on the way to the finest level"),
            finest: up_block(finest)?.resnets,
            conv_norm_out: NormSilu::load(&w.pp("conv_norm_out"), config.norm_num_groups, last)?,
            conv_out: conv("conv_out", last, config.out_channels)?,
        })
    }

    /// (B, latent channels, T, h, w) → (B, 3, 4(T−1)+1, 8h, 8w)
    pub(super) fn forward(&self, latents: &Tensor, scheme: DecodeScheme) -> Tensor {
        let latent_frames = latents.size()[TIME as usize];
        let coarse = self.coarse(latents, scheme.precision);
        match scheme.finest {
            FinestLevel::InSteps(step) if latent_frames > first_step(step.into()) => {
                let step = i64::from(step);
                let in_steps =
                    |one: &Tensor| self.in_steps(one, (latent_frames, step), scheme.precision);
                let samples: Vec<_> = coarse.split(1, 0).iter().map(in_steps).collect();
                Tensor::cat(&samples, 0)
            }
            _ => {
                let along = &mut Along::AllFrames;
                let x = self.finest(coarse, scheme.precision, along);
                self.pixels(x, along)
            }
        }
    }

    /// All levels but the finest, (B, latent channels, T, h, w) → (B, C, 1 + f·(T−1), 4h, 4w) where the finest level
    /// doubles height and width, as in the published VAE.
    fn coarse(&self, latents: &Tensor, precision: Precision) -> Tensor {
        let along = &mut Along::AllFrames;
        let x = self.conv_in.forward(latents.shallow_clone(), along);
        let mut x = self.mid_block.forward(&precision.of_sums(x), along);
        for block in &self.coarser {
            x = precision.of_sums(block.forward(x, along));
        }
        self.last_coarse.forward(x, along)
    }

    /// What [`Self::coarse`] made of all frames or of some, as wide and high as the video and normed.
    fn finest(&self, x: Tensor, precision: Precision, along: &mut Along<'_>) -> Tensor {
        let x = precision.of_sums(self.upsampler.forward(x, along));
        let x = self.finest.forward(x, along);
        self.conv_norm_out.forward(&x, along)
    }

    /// The finest level and the pixels of one sample, so many latent frames at a time. The first step is the largest,
    /// so that the others find room where it was.
    fn in_steps(
        &self,
        coarse: &Tensor,
        (latents, step): (i64, i64),
        precision: Precision,
    ) -> Tensor {
        let frames = coarse.size()[TIME as usize];
        let per_latent = (frames - 1) / (latents - 1);
        let end_of = |latents: i64| 1 + per_latent * (latents - 1);
        let ends = (first_step(step)..latents).step_by(step as usize);
        let ends = ends.chain([latents]);
        let parts = || {
            let mut start = 0;
            ends.clone().map(move |end| {
                let begin = std::mem::replace(&mut start, end_of(end));
                coarse.narrow(TIME, begin, start - begin).contiguous()
            })
        };
        let mut steps = Steps::default();
        for part in parts() {
            let _normed = self.finest(part, precision, &mut steps.next());
        }
        steps.begin_second_pass();
        let pixels = parts().map(|part| {
            let along = &mut steps.next();
            let x = self.finest(part, precision, along);
            self.pixels(x, along)
        });
        Tensor::cat(&pixels.collect::<Vec<_>>(), TIME)
    }

    fn pixels(&self, x: Tensor, along: &mut Along<'_>) -> Tensor {
        self.conv_out.to_kind(x.kind()).forward(x, along)
    }
}

/// Latent frames of the first of such steps; its first one is a single frame.
pub(super) fn first_step(step: i64) -> i64 {
    step + 1
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
    fn forward(&self, x: Tensor, along: &mut Along<'_>) -> Tensor {
        let x = self.resnets.forward(x, along);
        match &self.upsampler {
            Some(upsampler) => upsampler.forward(x, along),
            None => x,
        }
    }
}
