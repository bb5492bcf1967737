//! How large a picture is, and may be.

use std::fmt;

use framepack_jobs::picture::MAX_PIXELS;

/// Largest file that is read: `MAX_PIXELS` uncompressed at 16 bits and four channels.
pub(super) const MAX_FILE_BYTES: u64 = MAX_PIXELS * 8;

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

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width_px, self.height_px)
    }
}
