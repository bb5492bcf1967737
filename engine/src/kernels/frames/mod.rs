//! What the VAE does between its convolutions, one pass over memory each: the sum of a block with its bias and shortcut,
//! the frames that upsampling interleaves, and the norm, SiLU and edges in front of a convolution.
//!
//! Frames are (T, H, W, C) in a row, as convolutions take them fastest (channels last). `frames.cu` is the source for
//! CUDA. Torch's operations do the same on other devices and where a kernel can't be had.

mod add;
mod check;
mod interleave;
mod moments;
mod padded;
mod scaling;
mod source;
#[cfg(test)]
mod tests;

pub(super) use self::{check::compare, source::example};
pub(crate) use self::{
    interleave::Interleaving,
    moments::{GroupMoments, Moments},
    padded::Padding,
    scaling::{Norm, Scaling},
};
