//! Causal convolutions, a slab of frames at a time: only a slab has its edges in memory.

use std::ops::Range;

use tch::{Kind, Tensor};

use super::frames::PackedFrames;
use crate::{
    kernels::{
        Kernels,
        frames::{Padding, Scaling},
    },
    nn::Conv3d,
    vae::steps::Along,
};

/// Positions of a slab's result, about: enough for any device, and no more than two frames of a video. It does not
/// depend on the device's memory, since other shapes may be rounded otherwise.
const SLAB_POSITIONS: i64 = 1 << 20;

/// A convolution over frames that get their edges on the way.
pub(super) struct Padded<'a> {
    pub(super) conv: &'a Conv3d,
    /// (T, H, W, in)
    pub(super) x: &'a Tensor,
    /// Norm and SiLU in front of the convolution.
    pub(super) scaling: Option<&'a Scaling>,
    pub(super) kernels: &'a Kernels,
}

/// (T, H, W, in) → (⌈T/st⌉, ⌈H/sh⌉, ⌈W/sw⌉, out), in the type of the weights and without the bias. The kernel is 3 wide,
/// as edges are made for it.
pub(in crate::vae) fn convolved(
    conv: &Conv3d,
    (x, kernels): (&Tensor, &Kernels),
    scaling: Option<&Scaling>,
    along: &mut Along<'_>,
) -> Tensor {
    let still = is_still(x, along).then(|| of_still(conv));
    let padded = Padded {
        conv: still.as_ref().unwrap_or(conv),
        x,
        scaling,
        kernels,
    };
    let [st, sh, sw] = conv.stride();
    let size = x.size();
    let out_of = |length: i64, stride: i64| (length - 1) / stride + 1;
    let [frames, height, width] = [
        out_of(size[0], st),
        out_of(size[1], sh),
        out_of(size[2], sw),
    ];
    let past = along.past();
    let slab = slab_frames(height * width, SLAB_POSITIONS);
    let out = if slab >= frames {
        padded.result(0..frames, past.as_ref())
    } else {
        let channels = conv.parameters()[1].size()[0];
        let mut out = Tensor::empty([frames, height, width, channels], (conv.kind(), x.device()));
        for part in slabs(frames, slab) {
            padded.write(part, past.as_ref(), &mut out);
        }
        out
    };
    padded.leave_past(along);
    out
}

/// A convolution with its bias, with nothing in front of it.
pub(in crate::vae) fn alone(
    conv: &Conv3d,
    frames: PackedFrames,
    along: &mut Along<'_>,
) -> PackedFrames {
    let PackedFrames { x, kernels, .. } = frames;
    let y = convolved(conv, (&x, &kernels), None, along);
    let (x, moments) = kernels.add_bias(y, &bias_of(conv));
    PackedFrames {
        x,
        moments: Some(moments),
        kernels,
    }
}

/// A convolution's bias in f32.
pub(super) fn bias_of(conv: &Conv3d) -> Tensor {
    conv.parameters()[1].to_kind(Kind::Float)
}

/// How many frames of so many positions are a slab.
pub(super) fn slab_frames(positions: i64, slab_positions: i64) -> i64 {
    (slab_positions / positions).max(1)
}

/// All frames, slab by slab.
pub(super) fn slabs(frames: i64, slab: i64) -> impl Iterator<Item = Range<i64>> {
    let starts = (0..frames).step_by(slab.unsigned_abs() as usize);
    starts.map(move |start| start..(start + slab).min(frames))
}

/// Whether a window along time sees one frame and its copies.
pub(super) fn is_still(x: &Tensor, along: &Along<'_>) -> bool {
    x.size()[0] == 1 && matches!(along, Along::AllFrames)
}

/// What a convolution comes to where all frames of its window are the same: one along height and width.
pub(super) fn of_still(conv: &Conv3d) -> Conv3d {
    let [weight, bias] = conv.parameters();
    let sum = weight.sum_dim_intlist(2, true, Kind::Float);
    let [_, sh, sw] = conv.stride();
    Conv3d::channels_last([&sum.to_kind(weight.kind()), bias], [1, sh, sw])
}

impl Padded<'_> {
    /// These frames of the result.
    pub(super) fn result(&self, frames: Range<i64>, past: Option<&Tensor>) -> Tensor {
        self.conv.forward_channels_last(&self.input(frames, past))
    }

    /// The same, in its place in all of them.
    fn write(&self, frames: Range<i64>, past: Option<&Tensor>, out: &mut Tensor) {
        let mut place = out.narrow(0, frames.start, frames.end - frames.start);
        let input = self.input(frames, past);
        self.conv.forward_channels_last_into(&input, &mut place);
    }

    /// What these frames of the result are made of.
    fn input(&self, frames: Range<i64>, past: Option<&Tensor>) -> Tensor {
        let before = self.conv.kernel_frames() - 1;
        let stride = self.conv.stride()[0];
        let first = frames.start * stride - before;
        let last = (frames.end - 1) * stride;
        self.padded(first, last + 1 - first, past)
    }

    fn padded(&self, first: i64, frames: i64, past: Option<&Tensor>) -> Tensor {
        let padding = Padding {
            first,
            frames,
            past,
            kind: self.conv.kind(),
        };
        self.kernels.padded(self.x, self.scaling, padding)
    }

    /// Leaves the last frames of the input to the next step.
    pub(super) fn leave_past(&self, along: &mut Along<'_>) {
        if let Along::Step(steps) = along {
            let before = self.conv.kernel_frames() - 1;
            let past = steps.past();
            steps.leave(self.padded(self.x.size()[0] - before, before, past.as_ref()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slabs_are_all_frames_once() {
        for frames in 1..20 {
            for positions in [1, 7, 1 << 19, 1 << 20, 1 << 22] {
                let slab = slab_frames(positions, SLAB_POSITIONS);
                let all: Vec<i64> = slabs(frames, slab).flatten().collect();
                assert_eq!(all, (0..frames).collect::<Vec<_>>());
                assert!(slab == 1 || slab * positions <= SLAB_POSITIONS);
            }
        }
    }
}
