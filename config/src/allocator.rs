//! `PYTORCH_CUDA_ALLOC_CONF`: what torch's allocator of device memory is told, read before a worker is.
//!
//! Torch reads it when it first allocates, and a process with a mistake in it ends there. The keys and ranges are those of
//! torch 2.11 (`c10/core/AllocatorConfig.h`, `c10/cuda/CUDAAllocatorConfig.h`). Values that torch reads in part, as `128x`,
//! or turns round, as `-1`, are refused here.

mod value;

use framepack_jobs::{Row, Value, settings::CUDA_ALLOC_CONF};
use framepack_yaml::{Mistake, suggest};

use value::{Limits, Type};

/// A configuration that torch takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AllocConf {
    /// The text in torch's spelling; empty = torch's defaults.
    pub text: String,
    /// What was written otherwise, each as a sentence without its dot.
    pub corrections: Vec<String>,
}

/// What torch 2.11 knows, in alphabetical order.
const KEYS: [(&str, Type); 16] = [
    ("backend", Type::Backend),
    ("expandable_segments", Type::Truth),
    ("garbage_collection_threshold", Type::Threshold),
    ("graph_capture_record_stream_reuse", Type::Truth),
    ("large_segment_size_mb", Type::LargeSegment),
    ("max_non_split_rounding_mb", Type::LargeSegmentOrMore),
    ("max_split_size_mb", Type::LargeSegmentOrMore),
    ("per_process_memory_fraction", Type::Fraction),
    ("pinned_num_register_threads", Type::Threads),
    ("pinned_reserve_segment_size_mb", Type::Positive),
    ("pinned_use_background_threads", Type::Truth),
    ("pinned_use_cuda_host_register", Type::Truth),
    ("pinned_use_hip_host_register", Type::Truth),
    ("release_lock_on_cudamalloc", Type::Truth),
    ("release_lock_on_hipmalloc", Type::Truth),
    ("roundup_power2_divisions", Type::Divisions),
];

/// A configuration in torch's spelling, or in that of the Python application's documents, with `=` for `:`.
pub fn parse(text: &str) -> Result<AllocConf, Mistake> {
    let packed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let mut read = AllocConf::default();
    let mut limits = Limits::default();
    let mut entries = Vec::new();
    // Torch, too, takes a comma at the end.
    let packed = match packed.strip_suffix(',') {
        Some(rest) if !rest.is_empty() => rest,
        _ => &packed,
    };
    for entry in split(packed) {
        let (key, value, is_torchs) = key_and_value(entry)?;
        let kind = kind(key)?;
        let value = kind.read(key, value, &mut limits)?;
        let entry = format!("{key}:{value}");
        if !is_torchs {
            let corrected = format!("`{key}={value}` is written `{entry}` for torch");
            read.corrections.push(corrected);
        }
        entries.push(entry);
    }
    read.text = entries.join(",");
    Ok(read)
}

/// A setting's value as workers get it, and what was written otherwise: options of the allocator in torch's spelling, and
/// any other setting's as it is.
pub(crate) fn spelled(row: &Row, value: Value) -> Result<(Value, Vec<String>), Mistake> {
    if row.key != CUDA_ALLOC_CONF.key {
        return Ok((value, Vec::new()));
    }
    let read = parse(value.text().unwrap_or_default())?;
    Ok((Value::Text(read.text), read.corrections))
}

/// The entries: what is between commas that are not in brackets.
fn split(text: &str) -> Vec<&str> {
    let mut entries = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    for (at, c) in text.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                entries.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if start < text.len() || !entries.is_empty() {
        entries.push(&text[start..]);
    }
    entries
}

/// Key, value, and whether torch's colon is between them.
fn key_and_value(entry: &str) -> Result<(&str, &str, bool), Mistake> {
    if entry.is_empty() {
        let mistake = Mistake::out_of_range("nothing between two commas");
        return Err(mistake.hint("write one comma"));
    }
    let Some(at) = entry.find([':', '=']) else {
        // A key that torch does not know is named as such.
        kind(entry)?;
        let mistake = Mistake::out_of_range(format!("{entry} has no value"));
        return Err(mistake.hint(format!("write {entry}:VALUE")));
    };
    let (key, value) = (&entry[..at], &entry[at + 1..]);
    if value.is_empty() {
        kind(key)?;
        let mistake = Mistake::out_of_range(format!("{key} has no value"));
        return Err(mistake.hint(format!("write {key}:VALUE")));
    }
    Ok((key, value, entry[at..].starts_with(':')))
}

fn kind(key: &str) -> Result<Type, Mistake> {
    if let Some((_, kind)) = KEYS.iter().find(|(known, _)| *known == key) {
        return Ok(*kind);
    }
    let keys = KEYS.map(|(known, _)| known);
    let message = format!("torch's allocator has no option `{key}`");
    let mistake = Mistake::out_of_range(message);
    Err(match suggest(key, keys) {
        Some(near) => mistake.hint(format!("did you mean `{near}`?")),
        None => mistake.hint(format!("its options are {}", keys.join(", "))),
    })
}

#[cfg(test)]
mod tests;
