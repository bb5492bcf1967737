//! FramePack inference on libtorch.

pub mod device;
pub mod error;
pub mod nn;
pub mod text;
pub mod sampler;
pub mod section;
pub mod weights;

pub use error::Error;
