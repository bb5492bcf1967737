//! FramePack inference on libtorch.

mod assembly;
pub mod bundle;
mod checkpoint;
pub mod condition;
pub mod device;
pub mod error;
mod file;
mod findings;
pub mod history;
pub mod inspect;
mod job;
mod kernels;
pub mod models;
pub mod nn;
pub mod offload;
mod output;
pub mod picture;
pub mod pipeline;
pub mod plan;
mod platform;
pub mod progress;
pub mod sampler;
mod sealed;
pub mod section;
mod settings;
pub mod text;
pub mod transformer;
pub mod vae;
pub mod video;
pub mod vision;
pub mod weights;
pub mod worker;

pub use error::Error;
pub use plan::{ForcedSplit, Limits, ModelOptions, space_tiling_on};
pub use settings::{VaeMode, VaeSettings};
pub use vae::SpaceTiling;
