//! FramePack inference on libtorch.

mod assembly;
pub mod bundle;
pub mod condition;
pub mod device;
pub mod error;
pub mod history;
mod job;
pub mod memory;
mod models;
pub mod nn;
mod output;
pub mod picture;
pub mod pipeline;
pub mod progress;
pub mod sampler;
pub mod section;
pub mod text;
pub mod transformer;
pub mod vae;
pub mod video;
pub mod vision;
pub mod weights;
pub mod worker;

pub use error::Error;
pub use models::ModelOptions;
pub use vae::Tiling;
