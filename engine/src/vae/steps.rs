//! A level of the decoder computed in steps along time, and still nearly as if all frames were computed at once.
//!
//! Between steps each causal convolution keeps the frames that its window reaches back to, as Wan's VAE does
//! (arXiv:2503.20314 §4.1). Wan's norms see one frame; the group norms here see all frames at once. So there are two
//! passes: in the first each norm uses the statistics of the frames so far, in the second those of all frames that the
//! first has seen. What is left of the difference is in docs/PERFORMANCE.md.

use std::rc::Rc;

use tch::{Kind, Tensor};

use super::tiles::TIME;
use crate::{kernels::frames::GroupMoments, nn::Statistics};

/// How many frames of a level are computed together.
#[derive(Debug)]
pub(super) enum Along<'a> {
    /// All.
    AllFrames,
    /// Those of one step, after those of the steps before.
    Step(&'a mut Steps),
}

/// What one step leaves to the next. Layers find theirs by the order in which they are computed.
#[derive(Debug, Default)]
pub(super) struct Steps {
    /// The last input frames of each causal convolution.
    pasts: Vec<Tensor>,
    next_past: usize,
    norms: Norms,
    next_norm: usize,
}

/// What the norms are computed with.
#[derive(Debug)]
enum Norms {
    /// The statistics of the frames so far, which are gathered.
    Gathering(Vec<Seen>),
    /// Those of all frames.
    Known(Rc<SeenByNorms>),
}

impl Default for Norms {
    fn default() -> Self {
        Self::Gathering(vec![])
    }
}

/// What each norm has seen in all frames of a piece.
#[derive(Debug)]
pub(super) struct SeenByNorms(Vec<Seen>);

/// The moments of the frames that a norm has seen.
type Seen = GroupMoments;

impl Steps {
    /// The next step of a pass.
    pub(super) fn next(&mut self) -> Along<'_> {
        self.begin();
        Along::Step(self)
    }

    fn begin(&mut self) {
        (self.next_past, self.next_norm) = (0, 0);
    }

    /// Ends the first pass.
    pub(super) fn into_seen(self) -> SeenByNorms {
        SeenByNorms(match self.norms {
            Norms::Gathering(seen) => seen,
            Norms::Known(_) => unreachable!("the second pass gathers nothing"),
        })
    }

    /// The second pass: each norm uses the statistics of all frames of the first.
    pub(super) fn with(seen: Rc<SeenByNorms>) -> Self {
        Self {
            norms: Norms::Known(seen),
            ..Self::default()
        }
    }

    /// (1, C, T, H, W) → (1, C, `frames` + T, H, W): the frames before `x`; before the first of all there are only
    /// copies of it.
    pub(super) fn with_past(&mut self, x: Tensor, frames: i64) -> Tensor {
        let past = self.past().unwrap_or_else(|| first_frame(&x, frames));
        let joined = Tensor::cat(&[past, x], TIME);
        // A copy, since a view would keep all frames.
        let kept = joined
            .narrow(TIME, joined.size()[TIME as usize] - frames, frames)
            .copy();
        self.leave(kept);
        joined
    }

    /// What the next convolution left in the step before; `None` in the first.
    pub(super) fn past(&self) -> Option<Tensor> {
        self.pasts.get(self.next_past).map(Tensor::shallow_clone)
    }

    /// Leaves the last frames of that convolution to the next step.
    pub(super) fn leave(&mut self, frames: Tensor) {
        if self.next_past < self.pasts.len() {
            self.pasts[self.next_past] = frames;
        } else {
            self.pasts.push(frames);
        }
        self.next_past += 1;
    }

    /// What the next norm, which sees these frames now, computes them with.
    pub(super) fn statistics(&mut self, seen: impl FnOnce() -> Seen) -> Statistics {
        let number = self.next_norm;
        self.next_norm += 1;
        match &mut self.norms {
            Norms::Known(seen) => statistics(&seen.0[number]),
            Norms::Gathering(norms) => {
                let seen = seen();
                match norms.get_mut(number) {
                    Some(before) => before.add(&seen),
                    None => norms.push(seen),
                }
                statistics(&norms[number])
            }
        }
    }
}

impl Along<'_> {
    /// What the next convolution left in the step before.
    pub(super) fn past(&self) -> Option<Tensor> {
        match self {
            Self::AllFrames => None,
            Self::Step(steps) => steps.past(),
        }
    }

    /// Whether the first frame of all is among them. True until the first convolution of a pass has a past.
    pub(super) fn has_first(&self) -> bool {
        match self {
            Self::AllFrames => true,
            Self::Step(steps) => steps.pasts.is_empty(),
        }
    }
}

/// Moments of groups of channels of `x`, (1, C, T, H, W).
pub(super) fn moments_in_frames(x: &Tensor, groups: i64) -> GroupMoments {
    let grouped = x.view([groups, -1]).to_kind(Kind::Float);
    let (variance, mean) = grouped.var_mean_correction(1, 0, false);
    let count = grouped.size()[1] as f64;
    GroupMoments {
        count,
        mean: mean.to_kind(Kind::Double),
        squares: variance.to_kind(Kind::Double) * count,
    }
}

/// Mean and variance, as a norm takes them.
pub(super) fn statistics(moments: &GroupMoments) -> Statistics {
    Statistics {
        mean: moments.mean.shallow_clone(),
        variance: &moments.squares / moments.count,
    }
}

fn first_frame(x: &Tensor, times: i64) -> Tensor {
    let mut shape = x.size();
    shape[TIME as usize] = times;
    x.narrow(TIME, 0, 1).expand(shape, false)
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;

    #[test]
    fn frames_seen_in_steps_have_the_statistics_of_all() {
        tch::manual_seed(7);
        let x = Tensor::randn([1, 6, 9, 4, 5], (Kind::Float, Device::Cpu)) * 3.0 + 40.0;
        let all = statistics(&moments_in_frames(&x, 3));
        let mut steps = Steps::default();
        let part = |from, frames| x.narrow(2, from, frames).contiguous();
        for (from, frames) in [(0, 1), (1, 4), (5, 4)] {
            steps.begin();
            let _so_far = steps.statistics(|| moments_in_frames(&part(from, frames), 3));
        }
        let mut steps = Steps::with(Rc::new(steps.into_seen()));
        steps.begin();
        let second = steps.statistics(|| moments_in_frames(&part(0, 1), 3));
        assert!(second.mean.allclose(&all.mean, 1e-6, 1e-9, false));
        assert!(second.variance.allclose(&all.variance, 1e-4, 1e-9, false));
    }

    #[test]
    fn the_past_is_that_of_the_step_before() {
        let x = Tensor::arange(5, (Kind::Float, Device::Cpu)).view([1, 1, 5, 1, 1]);
        let mut steps = Steps::default();
        let mut frames = |from, count| {
            steps.begin();
            let joined = steps.with_past(x.narrow(2, from, count), 2);
            Vec::<f64>::try_from(joined.flatten(0, -1)).unwrap()
        };
        assert_eq!(frames(0, 1), [0.0, 0.0, 0.0]);
        assert_eq!(frames(1, 1), [0.0, 0.0, 1.0]);
        assert_eq!(frames(2, 3), [0.0, 1.0, 2.0, 3.0, 4.0]);
    }
}
