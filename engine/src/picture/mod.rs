//! Still pictures: reading a start image, fitting it to a bucket, and drawing the ones that people look at.
//!
//! Everything here is 8-bit RGB and runs on the CPU; tensors begin where pixels are normalised.

pub mod bucket;
mod error;
pub mod load;
pub mod png;
pub mod preview;
pub mod resample;

pub use error::PictureError;

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Size {
    /// Width in pixels.
    pub width_px: u32,
    /// Height in pixels.
    pub height_px: u32,
}

impl Size {
    /// A size from width and height, in this order.
    pub const fn new(width_px: u32, height_px: u32) -> Self {
        Self {
            width_px,
            height_px,
        }
    }

    /// Number of pixels.
    pub fn pixels(self) -> u64 {
        u64::from(self.width_px) * u64::from(self.height_px)
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.width_px, self.height_px)
    }
}
