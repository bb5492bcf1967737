//! Caches in the state directory, which workers write and anybody may remove at any time: a worker that misses a file
//! makes it again, and none of them is needed for a job that runs.

use std::{fs, path::PathBuf};

use framepack_ipc::upkeep::{Cache, CacheKind};

use crate::{disk::allocated_bytes, state_dir::Layout};

/// What a cache has.
fn files(layout: &Layout, kind: CacheKind) -> Vec<PathBuf> {
    let (folder, prefix, endings): (_, _, &[&str]) = match kind {
        // Those that a worker is writing end in `.new`.
        CacheKind::Embeddings => (layout.embeddings(), "", &[".safetensors"]),
        CacheKind::Attention => (layout.state(), "choices-", FINDINGS),
        CacheKind::Decoding => (layout.state(), "decoding-", FINDINGS),
        CacheKind::Kernels => (layout.kernels(), "", &[".cubin"]),
        CacheKind::Unknown => return Vec::new(),
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with(prefix) && endings.iter().any(|ending| name.ends_with(ending))
        })
        .map(|entry| entry.path())
        .collect();
    files.sort();
    files
}

/// What was found out on a device, and files of it that were set aside.
const FINDINGS: &[&str] = &[".json", ".json.damaged"];

/// One of the caches, or all.
fn wanted(kind: Option<CacheKind>) -> Vec<CacheKind> {
    kind.map_or_else(|| CacheKind::ALL.to_vec(), |kind| vec![kind])
}

/// What there is.
pub(crate) fn list(layout: &Layout) -> Vec<Cache> {
    let kinds = CacheKind::ALL.into_iter();
    kinds.map(|kind| cache(layout, kind, |_| true)).collect()
}

/// Removes what one cache has, or all of them. Returns what is gone.
pub(crate) fn clear(layout: &Layout, kind: Option<CacheKind>) -> Vec<Cache> {
    let removed = |path: &PathBuf| fs::remove_file(path).is_ok();
    let kinds = wanted(kind).into_iter();
    kinds.map(|kind| cache(layout, kind, removed)).collect()
}

fn cache(layout: &Layout, kind: CacheKind, counts: impl Fn(&PathBuf) -> bool) -> Cache {
    let (mut count, mut bytes) = (0, 0);
    for path in files(layout, kind) {
        let taken = fs::metadata(&path).map_or(0, |metadata| allocated_bytes(&metadata));
        if counts(&path) {
            count += 1;
            bytes += taken;
        }
    }
    let (path, without) = match kind {
        CacheKind::Embeddings => (
            layout.embeddings(),
            "the next job of each prompt and image loads the encoders again",
        ),
        CacheKind::Attention => (
            layout.state().join("choices-*.json"),
            "`attention: auto` is torch's own choice again, and `aggressive` measures the kernels again",
        ),
        CacheKind::Decoding => (
            layout.state().join("decoding-*.json"),
            "plans count with what decoding is assumed to take, until it has been measured again",
        ),
        CacheKind::Kernels => (
            layout.kernels(),
            "the next worker compiles its kernels again, in about a second",
        ),
        CacheKind::Unknown => (layout.state(), ""),
    };
    Cache {
        kind,
        path,
        files: count,
        bytes,
        without: without.to_owned(),
    }
}
