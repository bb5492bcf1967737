//! Model weights: safetensors on disk, or synthesised, behind one path cursor.
//!
//! The module tree of a model is the key tree of its checkpoint: a layer loads itself from
//! `weights.pp("attn").pp("to_q")`, names what it needs and the shape it expects, and gets a tensor of the
//! wanted type on the wanted device. A [`Checkpoint`] remembers what was taken, so that a leftover tensor
//! (another model than its configuration says) is an error and not a silent loss.

mod block;
mod checkpoint;
mod config;
mod elements;
mod error;
mod fingerprint;
mod layout;
mod packing;
mod save;
mod shards;
mod source;
mod synthesis;
#[cfg(test)]
mod tests;

pub(crate) use self::{block::BlockWeights, packing::Packing};
pub use self::{
    checkpoint::{Checkpoint, Weights},
    config::{read_config, read_json},
    elements::Elements,
    error::WeightsError,
    fingerprint::Fingerprint,
    layout::Layout,
    save::save_synthesised,
    source::{ModelSource, NotASource},
};
