//! Frames between two layers, in the order of memory that decides how they are computed.

use std::rc::Rc;

use tch::{Kind, Tensor};

use super::{
    channels_last::{PackedFrames, in_kind},
    tiles::TIME,
};
use crate::kernels::Kernels;

/// Frames between two layers.
#[derive(Debug)]
pub(super) enum Frames {
    /// (B, C, T, H, W) in a row: torch's operations in the reference's order, bit for bit.
    ChannelsFirst(Tensor),
    /// (T, H, W, C) in a row, of one sample: fewer passes over memory and fewer products, the same up to rounding.
    ChannelsLast(PackedFrames),
}

impl Frames {
    /// Frames for the kernels, `x` being (1, C, T, H, W); without kernels as the reference has them, (B, C, T, H, W).
    pub(super) fn new(x: &Tensor, kernels: Option<&Rc<Kernels>>) -> Self {
        match kernels {
            None => Self::ChannelsFirst(x.shallow_clone()),
            Some(kernels) => Self::ChannelsLast(PackedFrames::new(x, kernels)),
        }
    }

    /// Type of their numbers.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::ChannelsFirst(x) => x.kind(),
            Self::ChannelsLast(frames) => frames.x.kind(),
        }
    }

    /// The same numbers in another type.
    pub(super) fn in_kind(self, kind: Kind) -> Self {
        match self {
            Self::ChannelsFirst(x) => Self::ChannelsFirst(in_kind(x, kind)),
            Self::ChannelsLast(frames) => Self::ChannelsLast(PackedFrames {
                x: in_kind(frames.x, kind),
                ..frames
            }),
        }
    }

    /// Other frames of the same order in memory, made from (B, C, T, H, W).
    pub(super) fn map(self, make: impl FnOnce(Tensor) -> Tensor) -> Self {
        match self {
            Self::ChannelsFirst(x) => Self::ChannelsFirst(make(x)),
            Self::ChannelsLast(frames) => {
                let made = make(frames.as_channels_first());
                Self::ChannelsLast(PackedFrames::new(&made, &frames.kernels))
            }
        }
    }

    /// How many frames.
    pub(super) fn count(&self) -> i64 {
        match self {
            Self::ChannelsFirst(x) => x.size()[TIME as usize],
            Self::ChannelsLast(frames) => frames.x.size()[0],
        }
    }

    /// So many frames from a frame on.
    pub(super) fn part(&self, start: i64, count: i64) -> Self {
        match self {
            Self::ChannelsFirst(x) => {
                Self::ChannelsFirst(x.narrow(TIME, start, count).contiguous())
            }
            Self::ChannelsLast(frames) => Self::ChannelsLast(PackedFrames {
                x: frames.x.narrow(0, start, count),
                moments: None,
                kernels: Rc::clone(&frames.kernels),
            }),
        }
    }
}
