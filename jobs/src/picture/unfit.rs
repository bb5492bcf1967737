//! Why a file can't be a start image.

use thiserror::Error;

use super::foreign::Foreign;
use crate::Code;

/// Largest picture that is read, in pixels: that of a 60-megapixel camera, and far from a decompression bomb.
pub const MAX_PIXELS: u64 = 64_000_000;

/// What to do about an intact picture of a variant that is not read.
pub const CONVERT: &str = "convert it: `magick start.tif[0] -depth 8 -colorspace sRGB start.png`";

/// Why a file can't be a start image, as far as it can be told without decoding it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unfit {
    /// It has no bytes.
    #[error("is empty")]
    Empty,
    /// A picture in a format that is not read, or no picture at all.
    #[error("is {}{}", .0.name, if .0.is_picture { ", which is not read" } else { ", not a picture" })]
    Foreign(&'static Foreign),
    /// Nothing that is known.
    #[error("is not a picture in a known format")]
    Unknown,
    /// It ends before the picture does.
    #[error("is truncated: the file ends before the picture does")]
    Truncated,
    /// Its place on the disk was reserved, and nothing was written there.
    #[error("has only zero bytes where a picture begins: it was never written completely")]
    Zeros,
    /// A program took it for text on the way.
    #[error("was damaged by a transfer as text, which replaced bytes in it")]
    Mangled,
    /// What it says of itself can't be.
    #[error("is damaged: {what}")]
    Damaged {
        /// What is wrong.
        what: &'static str,
    },
    /// A readable format in a variant that is not.
    #[error("is {variant}, which is not read")]
    Variant {
        /// What it is: `a JPEG with arithmetic coding`.
        variant: &'static str,
    },
    /// More pixels than are accepted.
    #[error("has {width}x{height} = {} pixels, more than {MAX_PIXELS}", u64::from(*.width) * u64::from(*.height))]
    TooManyPixels {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
    },
}

impl Unfit {
    /// The error's code.
    pub fn code(&self) -> Code {
        match self {
            Self::Empty => Code::IMAGE_EMPTY,
            Self::Foreign(foreign) if !foreign.is_picture => Code::IMAGE_NOT_A_PICTURE,
            Self::Foreign(_) | Self::Unknown => Code::IMAGE_FORMAT,
            Self::Truncated
            | Self::Zeros
            | Self::Mangled
            | Self::Damaged { .. }
            | Self::Variant { .. } => Code::IMAGE_DAMAGED,
            Self::TooManyPixels { .. } => Code::IMAGE_TOO_LARGE,
        }
    }

    /// What to do, where that is more than the code's hint says.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Foreign(foreign) => Some(foreign.hint),
            Self::Truncated | Self::Zeros | Self::Damaged { .. } => {
                Some("copy it again, and drop the job when the copy is complete")
            }
            Self::Mangled => Some("copy it again, in binary mode"),
            Self::Variant { .. } => Some(CONVERT),
            Self::TooManyPixels { .. } => {
                Some("scale it down: `magick start.jpg -resize 4096x4096 start.png`")
            }
            Self::Empty | Self::Unknown => None,
        }
    }
}
