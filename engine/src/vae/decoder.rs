//! Latents → pixels (diffusers' `HunyuanVideoDecoder3D`).

use std::{ops::Range, rc::Rc};

use tch::Tensor;

use super::causal::{CausalConv3d, NormSilu, Resnets, Upsample};
use super::config::Config;
use super::finished::FinishedSteps;
use super::mid::MidBlock;
use super::scheme::{DecodeScheme, Precision};
use super::steps::{Along, Steps};
use super::tiles::TIME;
use crate::section::FRAMES_PER_LATENT;
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

    /// (B, latent channels, T, h, w) → (B, 3, 4(T−1)+1, 8h, 8w). One sample where the finest level goes in steps, which
    /// goes on where `finished` ends; `after_step` is called after each.
    pub(super) fn forward(
        &self,
        latents: &Tensor,
        scheme: DecodeScheme,
        finished: &mut FinishedSteps,
        after_step: &mut dyn FnMut(),
    ) -> Tensor {
        let latent_frames = latents.size()[TIME as usize];
        let precision = scheme.precision;
        let Some(cut) = StepCut::of(scheme, latent_frames) else {
            let along = &mut Along::AllFrames;
            let x = self.finest(self.coarse(latents, precision), precision, along);
            return self.pixels(x, along);
        };
        if finished.latent_frames() < latent_frames {
            let coarse = self.coarse(latents, precision);
            self.in_steps((&coarse, precision), cut, finished, after_step);
        }
        finished.frames(latents.device())
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

    /// The finest level and the pixels of one sample in steps, twice: the second time with what the norms have seen in
    /// the first.
    fn in_steps(
        &self,
        (coarse, precision): (&Tensor, Precision),
        cut: StepCut,
        finished: &mut FinishedSteps,
        after_step: &mut dyn FnMut(),
    ) {
        let seen = finished.seen.take().unwrap_or_else(|| {
            let mut steps = Steps::default();
            for step in cut.steps(0) {
                let _normed = self.finest(cut.part(coarse, &step), precision, &mut steps.next());
                after_step();
            }
            Rc::new(steps.into_seen())
        });
        let mut steps = Steps::with(Rc::clone(finished.seen.insert(seen)));
        // A step sees no further back: its past is made again, and its pixels are the same but for rounding.
        let past = self.past_of_finest() / FRAMES_PER_LATENT + 2;
        for step in cut.steps((finished.latent_frames() - past).max(0)) {
            let along = &mut steps.next();
            let x = self.finest(cut.part(coarse, &step), precision, along);
            finished.add(step.end, self.pixels(x, along));
            after_step();
        }
    }

    /// Frames before a frame that it depends on by the convolutions of the finest level.
    fn past_of_finest(&self) -> i64 {
        self.upsampler.past() + self.finest.past() + self.conv_out.past()
    }

    fn pixels(&self, x: Tensor, along: &mut Along<'_>) -> Tensor {
        self.conv_out.to_kind(x.kind()).forward(x, along)
    }
}

/// How so many latent frames are cut into steps.
#[derive(Debug, Clone, Copy)]
struct StepCut {
    latent_frames: i64,
    /// Of the first step.
    first: i64,
    /// Of the others.
    step: i64,
}

impl StepCut {
    /// `None`: all at once.
    fn of(scheme: DecodeScheme, latent_frames: i64) -> Option<Self> {
        let first = scheme.finest.first_step(latent_frames.unsigned_abs())? as i64;
        Some(Self {
            latent_frames,
            first,
            step: first - 1,
        })
    }

    /// The latent frames of each step from a latent frame on. The first step of all is the largest, so that the others
    /// find room where it was.
    fn steps(self, from: i64) -> impl Iterator<Item = Range<i64>> {
        let first = if from == 0 {
            self.first
        } else {
            from + self.step
        };
        let ends = (first..self.latent_frames).step_by(self.step as usize);
        let mut start = from;
        ends.chain([self.latent_frames])
            .map(move |end| std::mem::replace(&mut start, end)..end)
    }

    /// A step's part of what the coarser levels made of all latent frames, (1, C, 1 + f·(T−1), H, W).
    fn part(self, coarse: &Tensor, step: &Range<i64>) -> Tensor {
        let per_latent = (coarse.size()[TIME as usize] - 1) / (self.latent_frames - 1);
        let begin_of = |latent_frame: i64| (1 + per_latent * (latent_frame - 1)).max(0);
        let (start, end) = (begin_of(step.start), begin_of(step.end));
        coarse.narrow(TIME, start, end - start).contiguous()
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
    fn forward(&self, x: Tensor, along: &mut Along<'_>) -> Tensor {
        let x = self.resnets.forward(x, along);
        match &self.upsampler {
            Some(upsampler) => upsampler.forward(x, along),
            None => x,
        }
    }
}
