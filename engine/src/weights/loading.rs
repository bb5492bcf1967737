//! A component's weights while a model is loaded from them.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use tch::{Device, Kind};

use super::{
    error::WeightsError, files::Shards, layout::Layout, record::Record, source::TensorSource,
    view::Weights,
};

/// The source of one component's tensors, and a record of what was taken from it.
#[derive(Debug)]
pub struct Loading {
    source: TensorSource,
    record: Record,
}

impl Loading {
    /// From the safetensors in `dir`; reads headers only.
    pub fn open(dir: &Path, layout: &Layout) -> Result<Self, WeightsError> {
        let shards = Arc::new(Shards::open(dir, layout)?);
        Ok(Self::from(TensorSource::Files(shards)))
    }

    /// From weights made from `seed`: every name exists, in whatever shape is asked for.
    pub fn synthesised(seed: u64) -> Self {
        Self::from(TensorSource::Synthesised { seed })
    }

    /// From names and shapes only: every tensor is zeros and takes no memory. For asking a model what it needs.
    pub fn shapes() -> Self {
        Self::from(TensorSource::Shapes)
    }

    fn from(source: TensorSource) -> Self {
        Self {
            source,
            record: Record::default(),
        }
    }

    /// The root of the tree of names, with the device and the type that tensors are wanted in.
    pub fn weights(&self, device: Device, kind: Kind) -> Weights<'_> {
        Weights::of_source(&self.source, &self.record, (kind, device))
    }

    /// Names and shapes of all tensors taken so far.
    pub fn taken(&self) -> BTreeMap<String, Vec<i64>> {
        self.record.taken()
    }

    /// Ends loading: a tensor that was neither taken nor is known to be unused is an error.
    pub fn finish(&self) -> Result<(), WeightsError> {
        self.source.check_used(|name| self.record.covers(name))
    }
}
