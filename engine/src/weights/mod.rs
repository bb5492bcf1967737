//! Model weights: safetensors on disk, or synthesised, behind one path cursor.
//!
//! The module tree of a model is the tree of its tensors' names: a layer loads itself from
//! `weights.pp("attn").pp("to_q")`, names what it needs and the shape it expects, and gets a tensor of the
//! wanted type on the wanted device. A [`Loading`] remembers what was taken, so that a leftover tensor
//! (another model than its configuration says) is an error and not a silent loss.
//!
//! Values come from a source, a variant of `TensorSource` (`source/`). A block's bytes are made in
//! `TensorSource::bytes`, whichever place they are for; so a source that merges a `LoRA` into another one is a variant
//! that holds the other one, with its code in a folder beside `files/`. A storage type is a variant of `Storage` with a
//! file of its own (`storage/`); each tensor of a `Packing` has one, and `Storage::unpack` makes of it what a layer
//! computes with.

mod block;
mod config;
mod elements;
mod error;
mod files;
mod fingerprint;
mod layout;
mod loading;
mod model_source;
mod packing;
mod record;
mod save;
mod source;
mod storage;
#[cfg(test)]
mod tests;
mod view;

pub(crate) use self::{
    block::BlockWeights, files::weight_files, packing::Packing, storage::Repacked,
};
pub use self::{
    config::{read_config, read_json},
    elements::Elements,
    error::WeightsError,
    fingerprint::Fingerprint,
    layout::Layout,
    loading::Loading,
    model_source::{ModelSource, NotASource},
    save::save_synthesised,
    view::Weights,
};
