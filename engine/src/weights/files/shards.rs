//! All files of one component, their names and sizes checked at once.
//!
//! The Hub's layout: `<base>.safetensors`, or `<base>.safetensors.index.json` (a `weight_map` from tensor
//! to file) with the files it names.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use safetensors::tensor::{Dtype, TensorInfo};
use tch::Kind;

use super::{index::Index, shard::Shard};
use crate::weights::{error::WeightsError, layout::Layout, storage::Storage};

/// The files, with one table of names.
#[derive(Debug)]
pub(in crate::weights) struct Shards {
    files: Vec<Shard>,
    /// By name, optional prefix removed.
    entries: BTreeMap<String, TensorEntry>,
    /// The file that a missing tensor is reported against: the index, or the single file.
    root: PathBuf,
    /// Whether a tensor is known to be unused.
    ignored: fn(&str) -> bool,
}

/// Where a tensor is stored.
#[derive(Debug)]
struct TensorEntry {
    shard: usize,
    info: TensorInfo,
}

/// One tensor as its file holds it.
#[derive(Debug)]
pub(in crate::weights) struct Stored<'a> {
    pub(in crate::weights) bytes: &'a [u8],
    pub(in crate::weights) storage: Storage,
}

impl Shards {
    /// Opens the component in `dir`; reads headers only.
    pub(in crate::weights) fn open(dir: &Path, layout: &Layout) -> Result<Self, WeightsError> {
        let index_path = dir.join(format!("{}.safetensors.index.json", layout.base));
        let single_path = dir.join(format!("{}.safetensors", layout.base));
        if index_path.exists() {
            let index = Index::read(&index_path)?;
            let mut shards = Self::empty(index_path, layout);
            for file in index.files() {
                let stored = shards.add(index.path_of(file)?, layout)?;
                index.check(file, &stored)?;
            }
            Ok(shards)
        } else if single_path.exists() {
            let mut shards = Self::empty(single_path.clone(), layout);
            shards.add(single_path, layout)?;
            Ok(shards)
        } else {
            Err(if let Some(path) = framepack_bundle::pickle(dir) {
                WeightsError::Pickle { path }
            } else {
                let error = WeightsError::NotFound {
                    dir: dir.into(),
                    base: layout.base,
                };
                error.at(&index_path).at(&single_path)
            })
        }
    }

    fn empty(root: PathBuf, layout: &Layout) -> Self {
        Self {
            files: Vec::new(),
            entries: BTreeMap::new(),
            root,
            ignored: layout.ignored,
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
                let first = self.files.get(first.shard).unwrap_or(&shard).path();
                let reason = format!(
                    "tensor {short} is stored twice, first in {}",
                    first.display()
                );
                return Err(WeightsError::Malformed {
                    path: shard.path().into(),
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
    pub(in crate::weights) fn stored(
        &self,
        name: &str,
        shape: &[i64],
    ) -> Result<Stored<'_>, WeightsError> {
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
            return Err(WeightsError::Shape {
                path: shard.path().into(),
                tensor: name.into(),
                expected: shape.into(),
                found,
            });
        }
        let storage = storage_of(entry.info.dtype).ok_or_else(|| WeightsError::Dtype {
            path: shard.path().into(),
            tensor: name.into(),
            found: format!("{:?}", entry.info.dtype),
        })?;
        Ok(Stored {
            bytes: shard.bytes(&entry.info),
            storage,
        })
    }

    /// Checks that there is no tensor but those that are known to be unused and those that `is_known`.
    pub(in crate::weights) fn check_used(
        &self,
        is_known: impl Fn(&str) -> bool,
    ) -> Result<(), WeightsError> {
        let mut unknown = self.used().filter(|(name, _)| !is_known(name));
        match unknown.next() {
            None => Ok(()),
            Some((tensor, entry)) => Err(WeightsError::Unused {
                path: self.files[entry.shard].path().into(),
                tensor: tensor.into(),
                found: entry.shape(),
                count: 1 + unknown.count(),
            }),
        }
    }

    /// All tensors but those that are known to be unused.
    fn used(&self) -> impl Iterator<Item = (&str, &TensorEntry)> {
        let all = self.entries.iter();
        let all = all.map(|(name, entry)| (name.as_str(), entry));
        all.filter(|(name, _)| !(self.ignored)(name))
    }
}

impl TensorEntry {
    fn shape(&self) -> Vec<i64> {
        self.info.shape.iter().map(|&n| n as i64).collect()
    }
}

/// Names and numbers of elements of the tensors of the component in `dir`, as the headers of its files say. What is
/// known to be unused is left out.
pub(crate) fn stored_elements(
    dir: &Path,
    layout: &Layout,
) -> Result<BTreeMap<String, u64>, WeightsError> {
    let shards = Shards::open(dir, layout)?;
    let elements = |entry: &TensorEntry| entry.shape().iter().product::<i64>().unsigned_abs();
    let used = shards.used();
    Ok(used
        .map(|(name, entry)| (name.to_owned(), elements(entry)))
        .collect())
}

/// The files of the component in `dir`, whose headers were read.
pub(crate) fn weight_files(dir: &Path, layout: &Layout) -> Result<Vec<PathBuf>, WeightsError> {
    let shards = Shards::open(dir, layout)?;
    let files = shards.files.iter();
    Ok(files.map(|file| file.path().to_owned()).collect())
}

/// The storage type that a file's dtype stands for; `None` if models are not made of it.
fn storage_of(dtype: Dtype) -> Option<Storage> {
    match dtype {
        Dtype::BF16 => Some(Storage::Plain(Kind::BFloat16)),
        Dtype::F16 => Some(Storage::Plain(Kind::Half)),
        Dtype::F32 => Some(Storage::Plain(Kind::Float)),
        _ => None,
    }
}
