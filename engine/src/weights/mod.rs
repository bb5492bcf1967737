//! Model weights: safetensors on disk, or synthesised, behind one path cursor.
//!
//! The module tree of a model is the key tree of its checkpoint: a layer loads itself from
//! `weights.pp("attn").pp("to_q")`, names what it needs and the shape it expects, and gets a tensor of the
//! wanted type on the wanted device. A [`Checkpoint`] remembers what was taken, so that a leftover tensor
//! (another model than its configuration says) is an error and not a silent loss.

mod block;
mod checkpoint;
mod config;
mod error;
mod fingerprint;
mod packing;
mod save;
mod shards;
mod source;
mod synthesis;
#[cfg(test)]
mod tests;

use std::fmt::Display;

use tch::{Device, Kind, Tensor};

pub(crate) use block::BlockWeights;
pub use checkpoint::{Checkpoint, Layout};
pub use config::{read_config, read_json};
pub use error::WeightsError;
pub use fingerprint::Fingerprint;
pub(crate) use packing::Packing;
pub use save::save_synthesised;
pub use source::{ModelSource, NotASource};

/// A place in a checkpoint's tree of names.
#[derive(Debug, Clone)]
pub struct Weights<'a> {
    checkpoint: &'a Checkpoint,
    path: String,
    kind: Kind,
    device: Device,
}

impl Weights<'_> {
    /// The place `part` below this one.
    #[must_use]
    pub fn pp(&self, part: impl Display) -> Self {
        Self {
            path: self.full_name(part),
            ..self.clone()
        }
    }

    /// The tensor `name` below this place, checked against `shape`, as [`Self::kind`] on [`Self::device`].
    pub fn get(&self, name: &str, shape: &[i64]) -> Result<Tensor, WeightsError> {
        self.checkpoint
            .take(&self.full_name(name), shape, (self.kind, self.device))
    }

    /// Checks that the tensor `name` below this place is there, without reading it: it will be read later.
    fn declare(&self, name: &str, shape: &[i64]) -> Result<(), WeightsError> {
        self.checkpoint.declare(&self.full_name(name), shape)
    }

    /// Declares that what is below this place is not needed: it may be there or not.
    pub fn skip(&self) {
        self.checkpoint.skip(&self.path);
    }

    /// Where the tensors go.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Type of the tensors.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    fn full_name(&self, part: impl Display) -> String {
        join(&self.path, part)
    }
}

/// The name of `part` below `path`; the root has an empty path.
fn join(path: &str, part: impl Display) -> String {
    if path.is_empty() {
        part.to_string()
    } else {
        format!("{path}.{part}")
    }
}
