//! Names and sizes of a component's tensors, without their values: what models count their weights by.

use std::{collections::BTreeMap, path::Path};

use tch::{Device, Kind};

use super::{
    error::WeightsError, files::stored_elements, layout::Layout, loading::Loading, view::Weights,
};

/// How many elements each tensor of a component has, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elements(BTreeMap<String, u64>);

impl Elements {
    /// Of the tensors in a component's folder, as the headers of its files say.
    pub fn stored(dir: &Path, layout: &Layout) -> Result<Self, WeightsError> {
        Ok(Self(stored_elements(dir, layout)?))
    }

    /// Of the tensors that `load` asks for, which gets zeros that take no memory.
    pub fn asked_for<M>(
        load: impl FnOnce(&Weights<'_>) -> Result<M, WeightsError>,
    ) -> Result<Self, WeightsError> {
        let shapes = Loading::shapes();
        load(&shapes.weights(Device::Cpu, Kind::Half))?;
        let count = |shape: Vec<i64>| shape.iter().product::<i64>().unsigned_abs();
        let taken = shapes.taken().into_iter();
        Ok(Self(
            taken.map(|(name, shape)| (name, count(shape))).collect(),
        ))
    }

    /// Bytes of all of them in the type `kind`.
    pub fn bytes(&self, kind: Kind) -> u64 {
        kind.elt_size_in_bytes() as u64 * self.0.values().sum::<u64>()
    }

    /// Each name with its number of elements.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(name, count)| (name.as_str(), *count))
    }
}
