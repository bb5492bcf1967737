//! FramePack inference on libtorch.

pub mod bundle;
pub mod device;
pub mod error;
pub mod history;
pub mod nn;
pub mod picture;
pub mod sampler;
pub mod section;
pub mod text;
pub mod transformer;
pub mod vae;
pub mod video;
pub mod vision;
pub mod weights;

pub use error::Error;
