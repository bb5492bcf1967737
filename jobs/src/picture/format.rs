//! The formats that are read, and what their headers tell.

use std::fmt;

/// A format that the worker decodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JPEG, also with a video or a second picture behind it.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    WebP,
    /// TIFF.
    Tiff,
    /// GIF.
    Gif,
    /// Windows bitmap.
    Bmp,
    /// Netpbm: PBM, PGM, PPM or PAM.
    Pnm,
    /// QOI.
    Qoi,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Tiff => "TIFF",
            Self::Gif => "GIF",
            Self::Bmp => "BMP",
            Self::Pnm => "PNM",
            Self::Qoi => "QOI",
        })
    }
}

/// How a picture's pixels may be transparent, as its header has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Alpha {
    /// They can't.
    #[default]
    None,
    /// Some may be.
    Straight,
    /// Some may be, and their colours are already multiplied by their opacity.
    Premultiplied,
}

/// What the header of a readable picture tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Its format.
    pub format: Format,
    /// Width and height in pixels, where they are easily told.
    pub size: Option<(u32, u32)>,
    /// Whether pixels may be transparent.
    pub alpha: Alpha,
    /// Whether more pictures follow the first: frames or pages.
    pub has_more: bool,
}

impl Header {
    pub(super) fn new(format: Format, size: (u32, u32)) -> Self {
        Self {
            format,
            size: Some(size),
            alpha: Alpha::None,
            has_more: false,
        }
    }
}
