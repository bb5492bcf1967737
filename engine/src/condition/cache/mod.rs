//! The embedding cache: what was encoded once is not encoded again.
//!
//! An entry is found by a [`Key`], a hash over everything that decides its bits, so that a hit is what the
//! encoder would have computed. The newest entries are in memory; all are files in a folder that the workers
//! of one state directory share, and outlive the worker there. The cache can slow a job down, never fail it:
//! what is wrong with its files is logged, and the encoder is asked instead.

mod folder;
mod key;

use std::{collections::VecDeque, path::Path};

use tch::{Device, Tensor};

use self::folder::Folder;
pub(crate) use self::key::{Computation, Key, Subject};
use crate::sealed::Tensors;

/// Entries in memory, each a few MB at most.
const ENTRIES_IN_MEMORY: usize = 32;
/// Entries on the disk: about 0.7 GB with the published models on CUDA.
const ENTRIES_ON_DISK: usize = 512;

/// Embeddings of what was encoded lately.
#[derive(Debug)]
pub(crate) struct EmbeddingCache {
    /// The entry used last is the last.
    recent: VecDeque<(Key, Tensors)>,
    capacity: usize,
    folder: Option<Folder>,
}

impl EmbeddingCache {
    /// An empty cache that forgets everything with its process.
    pub(crate) fn in_memory() -> Self {
        Self {
            recent: VecDeque::new(),
            capacity: ENTRIES_IN_MEMORY,
            folder: None,
        }
    }

    /// A cache of the entries in `path`, which is made if it is not there. No other writer of that folder may
    /// be called `writer`.
    pub(crate) fn on_disk(path: &Path, writer: &str) -> Self {
        let folder = Folder::open(path, writer, ENTRIES_ON_DISK)
            .inspect_err(|error| {
                tracing::warn!(path = %path.display(), %error, "embeddings are not cached on disk");
            })
            .ok();
        Self {
            folder,
            ..Self::in_memory()
        }
    }

    /// The tensors called `names` of an entry, on the CPU.
    pub(crate) fn get<const N: usize>(
        &mut self,
        key: Key,
        names: [&str; N],
    ) -> Option<[Tensor; N]> {
        let recent = self.recent.iter().position(|(found, _)| *found == key);
        let entry = match recent.and_then(|at| self.recent.remove(at)) {
            Some((_, entry)) => {
                if let Some(folder) = &self.folder {
                    folder.mark_used(key);
                }
                entry
            }
            None => self.folder.as_ref()?.read(key)?,
        };
        let tensors: Option<Vec<Tensor>> = names
            .iter()
            .map(|&name| entry.get(name).map(Tensor::shallow_clone))
            .collect();
        self.remember(key, entry);
        tensors?.try_into().ok()
    }

    /// Keeps tensors under `names`. Those that hold NaN or Inf are not kept: a device that failed once would
    /// fail this subject's jobs ever after.
    pub(crate) fn put<const N: usize>(
        &mut self,
        key: Key,
        names: [&str; N],
        tensors: &[Tensor; N],
    ) {
        if !tensors.iter().all(is_finite) {
            return tracing::warn!(%key, "an embedding contains NaN or Inf and is not cached");
        }
        // A copy, since a view would keep all that it is a part of.
        let kept = tensors
            .iter()
            .map(|t| t.to_device(Device::Cpu).contiguous().copy());
        let entry: Tensors = names.into_iter().map(String::from).zip(kept).collect();
        if let Some(folder) = &self.folder
            && let Err(error) = folder.write(key, &entry)
        {
            tracing::warn!(%key, %error, "an embedding is cached in memory only");
        }
        self.remember(key, entry);
    }

    fn remember(&mut self, key: Key, entry: Tensors) {
        self.recent.retain(|(known, _)| *known != key);
        self.recent.push_back((key, entry));
        if self.recent.len() > self.capacity {
            self.recent.pop_front();
        }
    }
}

fn is_finite(tensor: &Tensor) -> bool {
    tensor.isfinite().all().int64_value(&[]) != 0
}

#[cfg(test)]
mod tests;
