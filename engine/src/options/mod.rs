//! What departs from the defaults: of the models, of the memory that they may use, and of what they give up for want
//! of it.

mod limits;
mod models;
mod relief;

pub use self::{
    limits::{ForcedSplit, Limits},
    models::{ModelOptions, tiling_on},
};
pub(crate) use self::{
    models::ROOMY_BYTES,
    relief::{Relief, Residents},
};
