//! Still pictures: reading a start image, fitting it to a bucket, and drawing the ones that people look at.
//!
//! Everything here is 8-bit RGB and runs on the CPU; tensors begin where pixels are normalised.

pub mod bucket;
mod error;
mod flatten;
pub mod load;
pub mod png;
pub mod preview;
mod profile;
pub mod resample;
mod size;
pub mod thumbnails;
mod tiff;

pub use self::{error::PictureError, size::Size};
