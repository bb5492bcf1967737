//! The layers on frames of (T, H, W, C) in a row.
//!
//! They compute what the layers beside this folder do, with fewer passes over memory and fewer products: each
//! convolution's input is normed, activated and given its edges in one pass; biases, shortcuts and the next norm's
//! statistics are one more; nearest upsampling is part of its convolution. Rounding aside, the function is the same.

mod attention;
mod conv;
mod frames;
mod resnet;
mod upsample;

pub(super) use self::{
    attention::{Layers as AttentionLayers, attended},
    conv::{alone, convolved},
    frames::{PackedFrames, in_kind},
    resnet::{Layers as ResnetLayers, resnet},
    upsample::{phases_of, upsampled},
};
