//! What can end a job inside the engine, and how it is reported.
//!
//! The errors of rooms that also return [`Error`] are here, beside it; the others are with what fails:
//! [`WeightsError`](crate::weights::WeightsError), [`PictureError`](crate::picture::PictureError).

mod engine;
mod plan;
mod shortage;
mod tokenizer;
mod video;

pub use self::{
    engine::Error,
    plan::{Need, Needs, PlanError},
    shortage::{MemoryKind, Shortage},
    tokenizer::TokenizerError,
    video::VideoError,
};
