//! A job's memory, decided before a weight is read: what it needs, what there is, and where its weights go.
//!
//! Each model counts its own cost; this room alone knows both the models and how their weights travel.

mod available;
mod phases;
mod placement;
mod planner;
mod probe;
mod split;
mod survey;

pub(crate) use self::placement::Placement;
pub use self::{
    available::{AvailableMemory, DEVICE_MARGIN_BYTES},
    phases::{Decoding, EncoderNeeds, place_decoding},
    planner::Planner,
    split::{Plan, plan},
};
