//! Frames with what the next norm needs.

use std::rc::Rc;

use tch::{Kind, Tensor};

use crate::{
    kernels::{
        Kernels,
        frames::{Moments, Scaling},
    },
    nn::GroupNorm,
    vae::steps::{Along, statistics},
};

/// Frames of one sample.
#[derive(Debug)]
pub(in crate::vae) struct PackedFrames {
    /// (T, H, W, C) in a row.
    pub(in crate::vae) x: Tensor,
    /// Of `x`, if whatever made it had them at hand.
    pub(in crate::vae) moments: Option<Moments>,
    pub(in crate::vae) kernels: Rc<Kernels>,
}

impl PackedFrames {
    /// From (1, C, T, H, W).
    pub(in crate::vae) fn new(x: &Tensor, kernels: &Rc<Kernels>) -> Self {
        Self {
            x: x.squeeze_dim(0).permute([1, 2, 3, 0]).contiguous(), // (T, H, W, C)
            moments: None,
            kernels: Rc::clone(kernels),
        }
    }

    /// (1, C, T, H, W), of which channels stay the last in memory.
    pub(in crate::vae) fn as_channels_first(&self) -> Tensor {
        self.x.unsqueeze(0).permute([0, 4, 1, 2, 3])
    }

    /// What a norm over `self` comes to.
    pub(in crate::vae) fn scaling(&self, norm: &GroupNorm, along: &mut Along<'_>) -> Scaling {
        match &self.moments {
            Some(moments) => scaling(norm, (moments, &self.x), along),
            None => {
                let channels = self.x.size()[3];
                let no_bias = Tensor::zeros([channels], (Kind::Float, self.x.device()));
                let moments = self.kernels.moments(&self.x, &no_bias);
                scaling(norm, (&moments, &self.x), along)
            }
        }
    }
}

/// What a norm over `x` comes to, by its moments.
pub(super) fn scaling(
    norm: &GroupNorm,
    (moments, x): (&Moments, &Tensor),
    along: &mut Along<'_>,
) -> Scaling {
    let size = x.size();
    let seen = || moments.of_groups(norm.groups(), size[0] * size[1] * size[2]);
    let statistics = match along {
        Along::AllFrames => statistics(&seen()),
        Along::Step(steps) => steps.statistics(seen),
    };
    let [scale, shift] = norm.scaling(&statistics);
    Scaling { scale, shift }
}
