//! Nearest upsampling and its convolution in one: [`Interleaving`] says why.

use tch::{Kind, Tensor};

use super::{
    conv::{Padded, bias_of, is_still, of_still, slab_frames, slabs},
    frames::PackedFrames,
};
use crate::{
    kernels::frames::{Interleaving, Moments},
    nn::Conv3d,
    vae::steps::Along,
};

/// Positions of all phases that are computed at once, about.
const SLAB_POSITIONS: i64 = 1 << 20;

/// The convolution of all phases, in front of which nothing is upsampled: weight (phases · C, C, kt, 2, 2). `None` if
/// height and width are not doubled.
pub(in crate::vae) fn phases_of(conv: &Conv3d, factors: [i64; 3]) -> Option<Conv3d> {
    let doubles_time = match factors {
        [1, 2, 2] => false,
        [2, 2, 2] => true,
        _ => return None,
    };
    let [weight, bias] = conv.parameters();
    let weight = weight.to_kind(Kind::Float);
    let time = if doubles_time {
        both(&weight, 2)
    } else {
        vec![weight.shallow_clone()]
    };
    let rows = time.iter().flat_map(|weight| both(weight, 3));
    let phases: Vec<_> = rows.flat_map(|weight| both(&weight, 4)).collect();
    let weight = Tensor::cat(&phases, 0).to_kind(conv.kind());
    Some(Conv3d::channels_last([&weight, bias], [1, 1, 1]))
}

/// What three taps along an axis come to in front of doubled numbers: for the even ones the second and the third see the
/// same, for the odd ones the first and the second.
fn both(weight: &Tensor, axis: i64) -> Vec<Tensor> {
    let tap = |i| weight.narrow(axis, i, 1);
    let pair = |first: Tensor, second: Tensor| Tensor::cat(&[first, second], axis);
    vec![pair(tap(0), tap(1) + tap(2)), pair(tap(0) + tap(1), tap(2))]
}

/// (T, H, W, C) → (1 + ft·(T−1), 2·H, 2·W, C), without the first frame (ft·T, 2·H, 2·W, C). `conv` is that of the phases,
/// with the bias of one.
pub(in crate::vae) fn upsampled(
    conv: &Conv3d,
    frames: &PackedFrames,
    along: &mut Along<'_>,
) -> PackedFrames {
    let PackedFrames { x, kernels, .. } = frames;
    let bias = bias_of(conv);
    let channels = bias.size()[0];
    let phases = conv.parameters()[0].size()[0] / channels;
    let doubles_time = phases == 8;
    let still = is_still(x, along).then(|| of_still(conv));
    let padded = Padded {
        conv: still.as_ref().unwrap_or(conv),
        x,
        scaling: None,
        kernels,
    };
    let (windows, height, width) = (x.size()[0], x.size()[1], x.size()[2]);
    let first_frame = if doubles_time && !along.has_first() {
        -1
    } else {
        0
    };
    // The number of the first frame behind so many windows.
    let end = |windows: i64| {
        if doubles_time {
            (2 * windows - 1).max(first_frame)
        } else {
            windows
        }
    };
    let out = Tensor::empty(
        [end(windows) - first_frame, 2 * height, 2 * width, channels],
        (conv.kind(), x.device()),
    );
    let past = along.past();
    let slab = slab_frames(height * width * phases, SLAB_POSITIONS);
    let part = |part: std::ops::Range<i64>| {
        let of = Interleaving {
            phases: &padded.result(part.clone(), past.as_ref()),
            bias: &bias,
            doubles_time,
            first_window: part.start,
            first_frame: end(part.start),
        };
        let (start, end) = (end(part.start), end(part.end));
        let mut place = out.narrow(0, start - first_frame, end - start);
        kernels.interleave(&of, &mut place)
    };
    let moments = slabs(windows, slab).map(part).collect();
    padded.leave_past(along);
    PackedFrames {
        x: out,
        moments: Some(Moments::all(moments)),
        kernels: kernels.clone(),
    }
}
