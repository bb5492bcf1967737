//! A job's memory, decided before a weight is read: what it takes, what there is, and where its weights go.
//!
//! Each model counts its own cost; this room alone knows both the models and how their weights travel.

mod budget;
mod decoding;
mod foresight;
mod host;
mod lacks;
mod ladder;
mod limits;
mod options;
mod overlap;
mod phases;
mod placement;
mod planner;
mod probe;
mod recurring;
mod relief;
mod sizes;
mod split;
mod survey;

pub use self::{
    budget::Budget,
    decoding::{decode_scheme, decode_scheme_on},
    limits::{ForcedSplit, Limits},
    options::{ModelOptions, space_tiling_on},
    phases::place_decoding,
    planner::Planner,
    relief::Relief,
    split::{HOIST_SLOTS, Split, split},
};
pub(crate) use self::{
    decoding::{ChosenScheme, SchemeReason},
    lacks::{NO_DEVICE, lacks, unless_refused},
    ladder::{Ladder, STEP_CACHE_RUNG, Work},
    placement::Placement,
    sizes::{DecodeFactors, DecodeKind, DecodeSizes, Took},
};
