//! Latents → pixels (diffusers' `HunyuanVideoDecoder3D`).

use std::{ops::Range, rc::Rc};

use tch::{Device, Tensor};

use super::causal::{CausalConv3d, NormedConv, Resnets, Upsample};
use super::config::Config;
use super::finished::FinishedSteps;
use super::frames::Frames;
use super::mid::MidBlock;
use super::scheme::{DecodeScheme, Precision};
use super::steps::{Along, Steps};
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
    out: NormedConv,
}

impl Decoder {
    pub(super) fn load(w: &Weights<'_>, config: &Config) -> Result<Self, WeightsError> {
        let channels: Vec<i64> = config.block_out_channels.iter().rev().copied().collect();
        let (first, last) = (channels[0], channels[channels.len() - 1]);
        let widths = |i: usize| [channels[i.saturating_sub(1)], channels[i]];
        let up_block = |i| UpBlock::load(&w.pp("up_blocks").pp(i), i, widths(i), config);
        let finest = channels.len() - 1;
        let last_coarse = up_block(finest - 1)?;
        Ok(Self {
            conv_in: CausalConv3d::load(
                &w.pp("conv_in"),
                config.latent_channels,
                first,
                3,
                [1, 1, 1],
            )?,
            mid_block: MidBlock::load(&w.pp("mid_block"), first, config)?,
            coarser: (0..finest - 1).map(up_block).collect::<Result<_, _>>()?,
            last_coarse: last_coarse.resnets,
            upsampler: last_coarse
                .upsampler
                .expect("time is doubled on the way to the finest level"),
            finest: up_block(finest)?.resnets,
            out: NormedConv::load(w, [last, config.out_channels], config.norm_num_groups)?,
        })
    }

    /// Prepares the weights for frames with channels last.
    pub(super) fn pack(&mut self) {
        self.conv_in.pack();
        self.mid_block.pack();
        self.coarser.iter_mut().for_each(UpBlock::pack);
        self.last_coarse.pack();
        self.upsampler.pack();
        self.finest.pack();
        self.out.pack();
    }

    /// Frames of latent channels, T × h × w → (B, 3, 4(T−1)+1, 8h, 8w). One sample where the finest level goes in steps, which
    /// goes on where `finished` ends; `after_step` is called after each.
    pub(super) fn forward(
        &self,
        (latents, device): (Frames, Device),
        scheme: DecodeScheme,
        finished: &mut FinishedSteps,
        after_step: &mut dyn FnMut(),
    ) -> Tensor {
        let latent_frames = latents.count();
        let precision = scheme.precision;
        let Some(cut) = StepCut::of(scheme, latent_frames) else {
            let along = &mut Along::AllFrames;
            let frames = self.finest(self.coarse(latents, precision), precision, along);
            return self.out.forward(frames, along);
        };
        if finished.latent_frames() < latent_frames {
            let coarse = self.coarse(latents, precision);
            self.in_steps((&coarse, precision), cut, finished, after_step);
        }
        finished.frames(device)
    }

    /// All levels but the finest: T frames of h × w → 1 + f·(T−1) frames of 4h × 4w where the finest level doubles height
    /// and width, as in the published VAE.
    fn coarse(&self, latents: Frames, precision: Precision) -> Frames {
        let along = &mut Along::AllFrames;
        let frames = self.conv_in.forward(latents, along);
        let mut frames = self.mid_block.forward(precision.of_sums(frames), along);
        for block in &self.coarser {
            frames = precision.of_sums(block.forward(frames, along));
        }
        self.last_coarse.forward(frames, along)
    }

    /// What [`Self::coarse`] made of all frames or of some, as wide and high as the video.
    fn finest(&self, frames: Frames, precision: Precision, along: &mut Along<'_>) -> Frames {
        let frames = precision.of_sums(self.upsampler.forward(frames, along));
        self.finest.forward(frames, along)
    }

    /// The finest level and the pixels of one sample in steps, twice: the second time with what the norms have seen in
    /// the first.
    fn in_steps(
        &self,
        (coarse, precision): (&Frames, Precision),
        cut: StepCut,
        finished: &mut FinishedSteps,
        after_step: &mut dyn FnMut(),
    ) {
        let seen = finished.seen.take().unwrap_or_else(|| {
            let mut steps = Steps::default();
            for step in cut.steps(0) {
                let along = &mut steps.next();
                let frames = self.finest(cut.part(coarse, &step), precision, along);
                self.out.see(&frames, along);
                after_step();
            }
            Rc::new(steps.into_seen())
        });
        let mut steps = Steps::with(Rc::clone(finished.seen.insert(seen)));
        // A step sees no further back: its past is made again, and its pixels are the same but for rounding.
        let past = self.past_of_finest() / FRAMES_PER_LATENT + 2;
        for step in cut.steps((finished.latent_frames() - past).max(0)) {
            let along = &mut steps.next();
            let frames = self.finest(cut.part(coarse, &step), precision, along);
            finished.add(step.end, self.out.forward(frames, along));
            after_step();
        }
    }

    /// Frames before a frame that it depends on by the convolutions of the finest level.
    fn past_of_finest(&self) -> i64 {
        self.upsampler.past() + self.finest.past() + self.out.past()
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

    /// A step's part of what the coarser levels made of all latent frames: 1 + f·(T−1) frames.
    fn part(self, coarse: &Frames, step: &Range<i64>) -> Frames {
        let per_latent = (coarse.count() - 1) / (self.latent_frames - 1);
        let begin_of = |latent_frame: i64| (1 + per_latent * (latent_frame - 1)).max(0);
        let (start, end) = (begin_of(step.start), begin_of(step.end));
        coarse.part(start, end - start)
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

    fn pack(&mut self) {
        self.resnets.pack();
        if let Some(upsampler) = &mut self.upsampler {
            upsampler.pack();
        }
    }

    /// T frames of H × W → 1 + ft·(T−1) frames of fh·H × fw·W
    fn forward(&self, frames: Frames, along: &mut Along<'_>) -> Frames {
        let frames = self.resnets.forward(frames, along);
        match &self.upsampler {
            Some(upsampler) => upsampler.forward(frames, along),
            None => frames,
        }
    }
}
