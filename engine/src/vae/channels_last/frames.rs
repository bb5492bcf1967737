//! Frames with what the next norm needs.

use std::rc::Rc;

use tch::{Kind, Tensor};

use crate::{
    kernels::{
        Kernels,
        frames::{Moments, Norm, Scaling},
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
        let of = |moments: &Moments, along: &mut Along<'_>| {
            let normed = Normed {
                x: &self.x,
                moments,
                added: None,
            };
            normed.scaling(norm, &self.kernels, along)
        };
        if let Some(moments) = &self.moments {
            return of(moments, along);
        }
        let channels = self.x.size()[3];
        let no_bias = Tensor::zeros([channels], (Kind::Float, self.x.device()));
        of(&self.kernels.moments(&self.x, &no_bias), along)
    }
}

/// Frames that a norm sees.
pub(super) struct Normed<'a> {
    /// (T, H, W, C)
    pub(super) x: &'a Tensor,
    pub(super) moments: &'a Moments,
    /// (C) f32, which is in the moments and not in `x`.
    pub(super) added: Option<&'a Tensor>,
}

impl Normed<'_> {
    /// What the norm comes to.
    pub(super) fn scaling(
        &self,
        norm: &GroupNorm,
        kernels: &Kernels,
        along: &mut Along<'_>,
    ) -> Scaling {
        let [weight, bias] = norm.parameters();
        let layer = Norm {
            weight,
            bias,
            groups: norm.groups(),
            eps: norm.eps(),
        };
        if let Along::AllFrames = along
            && let Some(scaling) = kernels.scaling(self.moments, layer, self.added)
        {
            return scaling;
        }
        let size = self.x.size();
        let positions = size[0] * size[1] * size[2];
        let seen = || self.moments.of_groups(norm.groups(), positions);
        let statistics = match along {
            Along::AllFrames => statistics(&seen()),
            Along::Step(steps) => steps.statistics(seen),
        };
        let [scale, mut shift] = norm.scaling(&statistics);
        if let Some(added) = self.added {
            shift += &scale * added;
        }
        Scaling { scale, shift }
    }
}

/// The same numbers in another type.
pub(in crate::vae) fn in_kind(x: Tensor, kind: Kind) -> Tensor {
    if x.kind() == kind { x } else { x.to_kind(kind) }
}
