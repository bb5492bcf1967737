//! The view of its weights that a layer loads itself from.

use std::fmt::Display;

use tch::{Device, Kind, Tensor};

use super::{error::WeightsError, packing::Packing, record::Record, source::TensorSource};

/// A place in a component's tree of names.
#[derive(Debug, Clone)]
pub struct Weights<'a> {
    source: &'a TensorSource,
    values: Values<'a>,
    /// Below the root of `values`.
    path: String,
    kind: Kind,
    device: Device,
}

/// Where a view takes tensors from.
#[derive(Debug, Clone, Copy)]
enum Values<'a> {
    /// Reads them from the source, and notes that they were taken. The root is the component's.
    Source(&'a Record),
    /// They are in a block's buffer already. The root is the block's.
    Buffer(Packed<'a>),
}

/// A block in the buffer that holds its weights.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packed<'a> {
    pub(super) packing: &'a Packing,
    pub(super) buffer: &'a Tensor,
    /// The block's place in its component.
    pub(super) path: &'a str,
}

impl<'a> Weights<'a> {
    /// The root of a component; tensors are wanted as `kind` on `device`.
    pub(super) fn of_source(
        source: &'a TensorSource,
        record: &'a Record,
        (kind, device): (Kind, Device),
    ) -> Self {
        Self {
            source,
            values: Values::Source(record),
            path: String::new(),
            kind,
            device,
        }
    }

    /// The root of a block whose values came from `source`.
    pub(super) fn of_block(source: &'a TensorSource, block: Packed<'a>) -> Self {
        Self {
            source,
            values: Values::Buffer(block),
            path: String::new(),
            kind: block.packing.kind(),
            device: block.buffer.device(),
        }
    }

    /// The place `part` below this one.
    #[must_use]
    pub fn pp(&self, part: impl Display) -> Self {
        Self {
            path: join(&self.path, part),
            ..self.clone()
        }
    }

    /// The tensor `name` below this place, checked against `shape`, as [`Self::kind`] on [`Self::device`].
    pub fn get(&self, name: &str, shape: &[i64]) -> Result<Tensor, WeightsError> {
        let name = join(&self.path, name);
        match self.values {
            Values::Source(record) => {
                let tensor = self.source.read(&name, shape, (self.kind, self.device))?;
                record.take(name, shape);
                Ok(tensor)
            }
            Values::Buffer(block) => Ok(block.packing.tensor(&name, block.buffer)),
        }
    }

    /// Checks that the tensor `name` below this place is in the source, without reading it: it will be read later.
    pub(super) fn declare(&self, name: &str, shape: &[i64]) -> Result<(), WeightsError> {
        let name = join(&self.full_path(), name);
        self.source.check(&name, shape)?;
        if let Values::Source(record) = self.values {
            record.take(name, shape);
        }
        Ok(())
    }

    /// Declares that what is below this place is not needed: it may be there or not.
    pub fn skip(&self) {
        if let Values::Source(record) = self.values {
            record.skip(&self.path);
        }
    }

    /// Where the tensors go.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Type of the tensors.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The name of this place in the component.
    pub(super) fn full_path(&self) -> String {
        match self.values {
            Values::Source(_) => self.path.clone(),
            Values::Buffer(block) if self.path.is_empty() => block.path.to_owned(),
            Values::Buffer(block) => join(block.path, &self.path),
        }
    }

    /// Where the values come from.
    pub(super) fn source(&self) -> &TensorSource {
        self.source
    }
}

/// The name of `part` below `path`; the root has an empty path.
pub(super) fn join(path: &str, part: impl Display) -> String {
    if path.is_empty() {
        part.to_string()
    } else {
        format!("{path}.{part}")
    }
}
