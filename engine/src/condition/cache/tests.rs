//! The cache in memory, on the disk, and with others in its folder.

use std::{
    fs::{self, File},
    path::PathBuf,
    thread,
    time::{Duration, SystemTime},
};

use tch::Kind;
use tempfile::TempDir;

use super::*;
use crate::kernels::KernelUse;

fn key(prompt: &str) -> Key {
    let computation = Computation {
        files: crate::weights::Fingerprint::of_folders([]).unwrap(),
        kind: Kind::Float,
        device: "cpu",
        build: None,
        kernels_off: vec![],
        kernels: KernelUse::On,
    };
    Key::new(Subject::Prompt(prompt), &computation)
}

/// Values that differ from entry to entry.
fn values(prompt: &str, kind: Kind) -> Tensor {
    let bytes: Vec<f32> = prompt.bytes().map(|byte| f32::from(byte) / 3.).collect();
    Tensor::from_slice(&bytes).view([1, -1]).to_kind(kind)
}

fn put(cache: &mut EmbeddingCache, prompt: &str) {
    cache.put(key(prompt), ["states"], &[values(prompt, Kind::Float)]);
}

fn has(cache: &mut EmbeddingCache, prompt: &str) -> bool {
    match cache.get(key(prompt), ["states"]) {
        Some([found]) => {
            assert_eq!(found, values(prompt, Kind::Float), "{prompt}");
            true
        }
        None => false,
    }
}

fn file(dir: &TempDir, prompt: &str) -> PathBuf {
    dir.path().join(format!("{}.safetensors", key(prompt)))
}

fn open(dir: &TempDir) -> EmbeddingCache {
    EmbeddingCache::on_disk(dir.path(), "cpu")
}

/// A cache with room for few entries.
fn small(dir: &TempDir, writer: &str, capacity: usize, max_files: usize) -> EmbeddingCache {
    EmbeddingCache {
        recent: VecDeque::new(),
        capacity,
        folder: Some(Folder::open(dir.path(), writer, max_files).unwrap()),
    }
}

#[test]
fn an_entry_comes_back_bit_for_bit_from_memory_and_from_another_process_files() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = open(&dir);
    for (prompt, kind) in [
        ("f32", Kind::Float),
        ("bf16", Kind::BFloat16),
        ("f16", Kind::Half),
    ] {
        let states = values("states", kind);
        // A view in another order than memory's, as encoders return them.
        let pooled = values("pooled..", kind).view([2, 4]).transpose(0, 1);
        assert!(first.get(key(prompt), ["states", "pooled"]).is_none());
        first.put(
            key(prompt),
            ["states", "pooled"],
            &[states.copy(), pooled.copy()],
        );
        for cache in [&mut first, &mut open(&dir)] {
            let [found, found_pooled] = cache.get(key(prompt), ["states", "pooled"]).unwrap();
            assert_eq!((found.kind(), found_pooled.size()), (kind, vec![4, 2]));
            assert_eq!((found, found_pooled), (states.copy(), pooled.copy()));
            assert!(cache.get(key(prompt), ["others"]).is_none());
        }
    }
}

#[test]
fn the_entry_that_was_not_used_for_the_longest_time_leaves_memory_first() {
    let mut cache = EmbeddingCache {
        capacity: 2,
        ..EmbeddingCache::in_memory()
    };
    put(&mut cache, "a");
    put(&mut cache, "b");
    assert!(has(&mut cache, "a"));
    put(&mut cache, "c");
    assert!(!has(&mut cache, "b"));
    assert!(has(&mut cache, "a") && has(&mut cache, "c"));
}

#[test]
fn the_file_that_was_not_used_for_the_longest_time_goes_first() {
    let dir = tempfile::tempdir().unwrap();
    let long_ago = |prompt, days: u64| {
        let time = SystemTime::now() - Duration::from_hours(24 * days);
        File::open(file(&dir, prompt))
            .unwrap()
            .set_modified(time)
            .unwrap();
    };
    let mut cache = small(&dir, "cpu", 9, 3);
    for (prompt, days) in [("a", 9), ("b", 8), ("c", 7)] {
        put(&mut cache, prompt);
        long_ago(prompt, days);
    }
    assert!(
        has(&mut cache, "a"),
        "a hit in memory counts as a use of the file"
    );
    assert!(
        has(&mut small(&dir, "cpu", 9, 3), "b"),
        "and so does one on the disk"
    );
    put(&mut cache, "d");
    let mut later = open(&dir);
    assert!(!has(&mut later, "c"));
    assert!(
        ["a", "b", "d"]
            .into_iter()
            .all(|prompt| has(&mut later, prompt))
    );
}

#[test]
fn a_damaged_file_is_a_miss_and_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    put(&mut open(&dir), "prompt");
    let path = file(&dir, "prompt");
    let sound = fs::read(&path).unwrap();
    let is_refused = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        !has(&mut open(&dir), "prompt") && !path.exists()
    };
    for at in 0..sound.len() {
        let mut flipped = sound.clone();
        flipped[at] ^= 1;
        assert!(is_refused(&flipped), "bit in byte {at}");
        assert!(is_refused(&sound[..at]), "cut to {at} bytes");
    }
    assert!(!is_refused(&sound));
}

#[test]
fn a_file_under_another_name_is_a_miss() {
    let dir = tempfile::tempdir().unwrap();
    put(&mut open(&dir), "prompt");
    fs::rename(file(&dir, "prompt"), file(&dir, "other")).unwrap();
    assert!(!has(&mut open(&dir), "other"));
    assert!(!file(&dir, "other").exists());
}

#[test]
fn what_holds_no_numbers_is_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let mut cache = open(&dir);
    for value in [f32::NAN, f32::INFINITY] {
        let tensors = [
            values("sound", Kind::Float),
            Tensor::from_slice(&[1., value]),
        ];
        cache.put(key("prompt"), ["states", "pooled"], &tensors);
        assert!(cache.get(key("prompt"), ["states", "pooled"]).is_none());
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn without_its_folder_the_cache_works_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    let never = dir.path().join("file");
    fs::write(&never, "").unwrap();
    let lost = dir.path().join("lost");
    let mut caches = [&never, &lost].map(|path| EmbeddingCache::on_disk(path, "cpu"));
    fs::remove_dir(&lost).unwrap();
    for cache in &mut caches {
        put(cache, "prompt");
        assert!(has(cache, "prompt"));
    }
}

#[test]
fn workers_that_share_a_folder_find_whole_entries_or_none() {
    let dir = tempfile::tempdir().unwrap();
    let prompts: Vec<String> = (0..6).map(|number| format!("prompt {number}")).collect();
    let worker = |writer: &str| {
        for round in 0..40 {
            // Without memory each look is at the disk.
            let mut cache = small(&dir, writer, 0, 4);
            let prompt = &prompts[round % prompts.len()];
            if !has(&mut cache, prompt) {
                put(&mut cache, prompt);
            }
        }
    };
    thread::scope(|scope| {
        let workers = ["cuda:0", "cuda:1"].map(|writer| scope.spawn(move || worker(writer)));
        for worker in workers {
            worker.join().unwrap();
        }
    });
    let names = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    assert!((1..=4).contains(&names.len()), "{names:?}");
    assert!(
        names.iter().all(|name| name.ends_with(".safetensors")),
        "{names:?}"
    );
}
