//! One safetensors file, mapped into memory.

use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
};

use memmap2::Mmap;
use safetensors::{SafeTensorError, SafeTensors, tensor::TensorInfo};

use crate::weights::error::WeightsError;

/// One mapped file.
#[derive(Debug)]
pub(super) struct Shard {
    path: PathBuf,
    map: Mmap,
    /// Offset of the first tensor's data in the file, in bytes.
    data_start: usize,
}

impl Shard {
    /// Maps a file and reads its header: the tensors in it, by their names there.
    #[expect(unsafe_code, reason = "mapping a file")]
    pub(super) fn open(path: PathBuf) -> Result<(Self, Vec<(String, TensorInfo)>), WeightsError> {
        let io = |doing| {
            let path = path.clone();
            move |source| WeightsError::Io {
                path,
                doing,
                source,
            }
        };
        // Not only where reading fails: a download can have the right length from the beginning.
        if let Some(stand_in) = framepack_bundle::stand_in(&path) {
            return Err(WeightsError::StandIn(stand_in));
        }
        let file = File::open(&path).map_err(io("opening"))?;
        // SAFETY: the mapping is read-only and private to this struct. Its bytes are only ever copied out.
        // Whoever replaces a model's files while they are in use must do so by rename, as downloaders do.
        let map = unsafe { Mmap::map(&file) }.map_err(io("mapping"))?;
        let (header_bytes, metadata) =
            SafeTensors::read_metadata(&map).map_err(|e| malformed(&path, &map, &e))?;
        let tensors = metadata
            .tensors()
            .into_iter()
            .map(|(name, info)| (name, info.clone()))
            .collect();
        // A length of eight bytes, the header, the data.
        Ok((
            Self {
                path,
                map,
                data_start: 8 + header_bytes,
            },
            tensors,
        ))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The bytes of one of its tensors.
    pub(super) fn bytes(&self, tensor: &TensorInfo) -> &[u8] {
        let (start, end) = tensor.data_offsets;
        &self.map[self.data_start + start..self.data_start + end]
    }
}

/// Says what is wrong with a file that did not parse; a short file by the first tensor that is not whole.
fn malformed(path: &Path, bytes: &[u8], error: &SafeTensorError) -> WeightsError {
    if matches!(error, SafeTensorError::MetadataIncompleteBuffer)
        && let Some((tensor, expected_bytes)) = first_beyond_end(bytes)
    {
        let found_bytes = bytes.len() as u64;
        return WeightsError::Truncated {
            path: path.into(),
            tensor,
            expected_bytes,
            found_bytes,
        };
    }
    WeightsError::Malformed {
        path: path.into(),
        reason: error.to_string(),
    }
}

/// The first tensor whose data end beyond the file, and that end.
fn first_beyond_end(bytes: &[u8]) -> Option<(String, u64)> {
    let header_bytes = u64::from_le_bytes(bytes.get(..8)?.try_into().ok()?);
    let header = bytes.get(8..8 + usize::try_from(header_bytes).ok()?)?;
    let header: BTreeMap<String, serde_json::Value> = serde_json::from_slice(header).ok()?;
    header
        .into_iter()
        .filter_map(|(name, info)| {
            Some((name, 8 + header_bytes + info["data_offsets"][1].as_u64()?))
        })
        .filter(|(_, end)| *end > bytes.len() as u64)
        .min_by_key(|(_, end)| *end)
}
