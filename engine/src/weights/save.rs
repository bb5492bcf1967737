//! Synthesised weights as safetensors, for another program to load.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    path::Path,
};

use safetensors::{
    SafeTensorError,
    tensor::{Dtype, View, serialize_to_file},
};
use tch::{Device, Kind};

use super::{error::WeightsError, source::synthesise, storage::Storage};

/// What the files hold.
const STORAGE: Storage = Storage::Plain(Kind::Float);

/// Writes `<dir>/<base>.safetensors` (f32) with the tensors that `Loading::synthesised(seed)` hands out
/// under these names and shapes. They are made one at a time, so the memory is that of the largest.
pub fn save_synthesised(
    seed: u64,
    tensors: &BTreeMap<String, Vec<i64>>,
    path: &Path,
) -> Result<(), WeightsError> {
    let views = tensors.iter().map(|(name, shape)| {
        let dims = shape.iter().map(|&n| n as usize).collect();
        (
            name,
            Synthesised {
                seed,
                name,
                shape,
                dims,
            },
        )
    });
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    serialize_to_file(views, Some(metadata), path).map_err(|error| match error {
        SafeTensorError::IoError(source) => WeightsError::Io {
            path: path.into(),
            doing: "writing",
            source,
        },
        other => WeightsError::Malformed {
            path: path.into(),
            reason: other.to_string(),
        },
    })
}

/// A tensor that is made when its bytes are asked for.
struct Synthesised<'a> {
    seed: u64,
    name: &'a str,
    shape: &'a [i64],
    dims: Vec<usize>,
}

impl View for Synthesised<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.dims
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let wanted = (STORAGE.kind(), Device::Cpu);
        Cow::Owned(STORAGE.pack(&synthesise(self.seed, self.name, self.shape, wanted)))
    }

    fn data_len(&self) -> usize {
        STORAGE.bytes(self.shape)
    }
}
