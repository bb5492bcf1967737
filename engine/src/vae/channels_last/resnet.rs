//! Two convolutions beside a shortcut.

use tch::Tensor;

use super::{
    conv::{bias_of, convolved},
    frames::{Normed, PackedFrames, in_kind},
};
use crate::{
    nn::{Conv3d, GroupNorm},
    vae::steps::Along,
};

/// The layers of a resnet.
pub(in crate::vae) struct Layers<'a> {
    pub(in crate::vae) norms: [&'a GroupNorm; 2],
    pub(in crate::vae) convs: [&'a Conv3d; 2],
    /// One position wide; where the number of channels changes.
    pub(in crate::vae) shortcut: Option<&'a Conv3d>,
}

/// (T, H, W, from) → (T, H, W, to), in the type of the input.
pub(in crate::vae) fn resnet(
    layers: &Layers<'_>,
    frames: PackedFrames,
    along: &mut Along<'_>,
) -> PackedFrames {
    let [norm1, norm2] = layers.norms;
    let [conv1, conv2] = layers.convs;
    let [bias1, bias2] = layers.convs.map(bias_of);
    let normed = frames.scaling(norm1, along);
    let PackedFrames { x, kernels, .. } = frames;

    let h = convolved(conv1, (&x, &kernels), Some(&normed), along);
    let moments = kernels.moments(&h, &bias1);
    let normed = Normed {
        x: &h,
        moments: &moments,
        added: Some(&bias1),
    };
    let normed = normed.scaling(norm2, &kernels, along);
    let h = convolved(conv2, (&h, &kernels), Some(&normed), along);

    let (x, moments) = match layers.shortcut {
        None => kernels.add(x, &h, &bias2),
        Some(conv) => {
            let bias = bias2 + bias_of(conv);
            let kind = x.kind();
            let x = pointwise(conv, x);
            kernels.add(in_kind(x, kind), &h, &bias)
        }
    };
    PackedFrames {
        x,
        moments: Some(moments),
        kernels,
    }
}

/// A convolution of single positions, without its bias: (T, H, W, in) → (T, H, W, out).
fn pointwise(conv: &Conv3d, x: Tensor) -> Tensor {
    let [weight, _] = conv.parameters();
    in_kind(x, weight.kind()).linear(&weight.flatten(1, -1), None::<Tensor>)
}
