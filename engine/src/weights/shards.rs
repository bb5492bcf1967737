//! Safetensors files of one component: mapped into memory, their names and sizes checked at once.
//!
//! The Hub's layout: `<base>.safetensors`, or `<base>.safetensors.index.json` (a `weight_map` from tensor
//! to file) with the files it names.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    path::{Path, PathBuf},
};

use memmap2::Mmap;
use safetensors::{
    SafeTensorError, SafeTensors,
    tensor::{Dtype, TensorInfo},
};
use serde::Deserialize;
use tch::{Device, Kind, Tensor};

use super::{error::WeightsError, layout::Layout};

/// Numbers that are brought to another type at once.
const PIECE: usize = 1 << 16;

/// One mapped file.
#[derive(Debug)]
struct Shard {
    path: PathBuf,
    map: Mmap,
    /// Offset of the first tensor's data in the file, in bytes.
    data_start: usize,
}

/// Where a tensor is stored.
#[derive(Debug)]
struct TensorEntry {
    shard: usize,
    info: TensorInfo,
}

/// One tensor as its file holds it.
#[derive(Debug)]
pub(super) struct Stored<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) kind: Kind,
    shape: Vec<i64>,
}

impl Stored<'_> {
    /// A copy of it as `kind` on `device`.
    pub(super) fn read(&self, (kind, device): (Kind, Device)) -> Tensor {
        let stored = Tensor::from_data_size(self.bytes, &self.shape, self.kind);
        stored.to_device(device).to_kind(kind)
    }

    /// Its bytes as `kind`, made piece by piece, so that it is in memory once.
    pub(super) fn converted(&self, kind: Kind) -> Vec<u8> {
        let (stored_size, size) = (self.kind.elt_size_in_bytes(), kind.elt_size_in_bytes());
        let mut converted = vec![0; self.bytes.len() / stored_size * size];
        let from = self.bytes.chunks(PIECE * stored_size);
        for (from, to) in from.zip(converted.chunks_mut(PIECE * size)) {
            let numbers = from.len() / stored_size;
            let piece = Tensor::from_data_size(from, &[numbers as i64], self.kind);
            piece.to_kind(kind).copy_data_u8(to, numbers);
        }
        converted
    }
}

/// All files of one component, with one table of names.
#[derive(Debug)]
pub(super) struct Shards {
    files: Vec<Shard>,
    /// By name, optional prefix removed.
    entries: BTreeMap<String, TensorEntry>,
    /// The file that a missing tensor is reported against: the index, or the single file.
    root: PathBuf,
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl Shards {
    pub(super) fn open(dir: &Path, layout: &Layout) -> Result<Self, WeightsError> {
        let index_path = dir.join(format!("{}.safetensors.index.json", layout.base));
        let single_path = dir.join(format!("{}.safetensors", layout.base));
        if index_path.exists() {
            Self::open_sharded(dir, &index_path, layout)
        } else if single_path.exists() {
            let mut shards = Self::empty(single_path.clone());
            shards.add(single_path, layout)?;
            Ok(shards)
        } else {
            Err(match find_pickle(dir) {
                Some(path) => WeightsError::Pickle { path },
                None => WeightsError::NotFound {
                    dir: dir.into(),
                    base: layout.base,
                },
            })
        }
    }

    fn open_sharded(dir: &Path, index_path: &Path, layout: &Layout) -> Result<Self, WeightsError> {
        let bad = |reason: String| WeightsError::Index {
            path: index_path.into(),
            reason,
        };
        let text = fs::read(index_path).map_err(|source| WeightsError::Io {
            path: index_path.into(),
            doing: "reading",
            source,
        })?;
        let index: Index = serde_json::from_slice(&text).map_err(|e| bad(e.to_string()))?;

        let mut shards = Self::empty(index_path.into());
        let files: BTreeSet<&String> = index.weight_map.values().collect();
        for file in files {
            // A name, never a path: an index must not reach out of its folder.
            if Path::new(file).file_name() != Some(file.as_ref()) {
                return Err(bad(format!(
                    "{file:?} is not the name of a file in this folder"
                )));
            }
            if !file.ends_with(".safetensors") {
                return Err(WeightsError::Pickle {
                    path: dir.join(file),
                });
            }
            let path = dir.join(file);
            if !path.exists() {
                return Err(bad(format!("shard {file} is missing")));
            }
            let stored = shards.add(path, layout)?;
            let mapped: BTreeSet<&String> = index
                .weight_map
                .iter()
                .filter(|(_, f)| *f == file)
                .map(|(name, _)| name)
                .collect();
            if let Some(name) = mapped.iter().find(|name| !stored.contains(**name)) {
                return Err(bad(format!(
                    "it places tensor {name} in {file}, which does not hold it"
                )));
            }
            if let Some(name) = stored.iter().find(|name| !mapped.contains(name)) {
                return Err(bad(format!(
                    "{file} holds tensor {name}, which it does not list there"
                )));
            }
        }
        Ok(shards)
    }

    fn empty(root: PathBuf) -> Self {
        Self {
            files: Vec::new(),
            entries: BTreeMap::new(),
            root,
        }
    }

    /// Maps a file and enters its tensors; returns their names as stored.
    fn add(&mut self, path: PathBuf, layout: &Layout) -> Result<BTreeSet<String>, WeightsError> {
        let (shard, tensors) = Shard::open(path)?;
        let mut stored = BTreeSet::new();
        for (name, info) in tensors {
            let short = layout
                .optional_prefixes
                .iter()
                .find_map(|prefix| name.strip_prefix(prefix));
            let short = short.unwrap_or(&name).to_owned();
            if let Some(first) = self.entries.get(&short) {
                let first = self.files.get(first.shard).map_or(&shard.path, |s| &s.path);
                let reason = format!(
                    "tensor {short} is stored twice, first in {}",
                    first.display()
                );
                return Err(WeightsError::Malformed {
                    path: shard.path,
                    reason,
                });
            }
            self.entries.insert(
                short,
                TensorEntry {
                    shard: self.files.len(),
                    info,
                },
            );
            stored.insert(name);
        }
        self.files.push(shard);
        Ok(stored)
    }

    /// Finds one tensor, checked against `shape`.
    pub(super) fn stored(&self, name: &str, shape: &[i64]) -> Result<Stored<'_>, WeightsError> {
        let entry = self
            .entries
            .get(name)
            .ok_or_else(|| WeightsError::Missing {
                path: self.root.clone(),
                tensor: name.into(),
                expected: shape.into(),
            })?;
        let shard = &self.files[entry.shard];
        let found = entry.shape();
        if found != shape {
            let (path, tensor) = (shard.path.clone(), name.into());
            return Err(WeightsError::Shape {
                path,
                tensor,
                expected: shape.into(),
                found,
            });
        }
        let kind = match entry.info.dtype {
            Dtype::BF16 => Kind::BFloat16,
            Dtype::F16 => Kind::Half,
            Dtype::F32 => Kind::Float,
            other => {
                let (path, tensor) = (shard.path.clone(), name.into());
                return Err(WeightsError::Dtype {
                    path,
                    tensor,
                    found: format!("{other:?}"),
                });
            }
        };
        let (start, end) = entry.info.data_offsets;
        Ok(Stored {
            bytes: &shard.map[shard.data_start + start..shard.data_start + end],
            kind,
            shape: found,
        })
    }

    /// Names and shapes of all tensors, with the file that holds each.
    pub(super) fn list(&self) -> impl Iterator<Item = (&str, Vec<i64>, &Path)> {
        self.entries.iter().map(|(name, entry)| {
            (
                name.as_str(),
                entry.shape(),
                self.files[entry.shard].path.as_path(),
            )
        })
    }
}

impl TensorEntry {
    fn shape(&self) -> Vec<i64> {
        self.info.shape.iter().map(|&n| n as i64).collect()
    }
}

impl Shard {
    #[expect(unsafe_code, reason = "mapping a file")]
    fn open(path: PathBuf) -> Result<(Self, Vec<(String, TensorInfo)>), WeightsError> {
        let io = |doing| {
            let path = path.clone();
            move |source| WeightsError::Io {
                path,
                doing,
                source,
            }
        };
        let file = File::open(&path).map_err(io("opening"))?;
        // SAFETY: the mapping is read-only and private to this struct. Its bytes are only ever copied out.
        // Whoever replaces a checkpoint while it is in use must do so by rename, as downloaders do.
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

/// A pickled checkpoint in the folder, if there is one.
fn find_pickle(dir: &Path) -> Option<PathBuf> {
    let files = fs::read_dir(dir).ok()?.flatten().map(|entry| entry.path());
    let is_pickle = |path: &PathBuf| {
        path.extension().is_some_and(|e| {
            ["bin", "pt", "pth", "ckpt", "pkl"]
                .iter()
                .any(|p| e.eq_ignore_ascii_case(p))
        })
    };
    files.filter(is_pickle).min()
}
