use std::{fs, path::PathBuf};

use serde_json::{Value, json};
use tch::{Device, Kind};

use super::*;
use crate::{findings, platform::Circumstances, weights::Fingerprint};

const GIB: u64 = 1 << 30;
const KIND: DecodeKind = DecodeKind {
    kernels: crate::kernels::KernelUse::On,
    vae: Kind::Half,
    f32_sums: false,
    spatial_tiles: true,
    in_steps: false,
};

fn platform() -> Platform {
    Platform {
        device: Device::Cpu,
        name: "cuda card of the test".into(),
        driver: Some("570.86.15".into()),
        build: None,
    }
}

fn seen(sizes: &DecodeSizes) -> Option<u32> {
    sizes.factors().seen(KIND)
}

/// A folder without the file, and where it would be.
fn empty() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("decoding-cuda0.json");
    (folder, path)
}

/// A folder with a file of these entries.
fn folder_with(entries: &Value) -> (tempfile::TempDir, PathBuf) {
    let (folder, path) = empty();
    let text = json!({"format": 1, "decoding": entries}).to_string();
    fs::write(&path, text).unwrap();
    (folder, path)
}

fn entry(platform: &Platform, percent: &Value) -> Value {
    let circumstances = Circumstances::of(platform);
    json!({"circumstances": circumstances, "kind": KIND, "percent": percent})
}

/// The entries in a file, in their order.
fn entries(path: &Path) -> Vec<Value> {
    let file: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert_eq!(file["format"], 1);
    file["decoding"].as_array().unwrap().clone()
}

#[test]
fn the_largest_of_what_was_seen_is_kept_for_the_next_process() {
    let (folder, path) = empty();
    let mut sizes = DecodeSizes::on_disk(&path, &platform());
    assert_eq!(seen(&sizes), None);
    assert!(!path.exists(), "nothing was measured");
    for (took, expected) in [
        (3 * GIB, 75),
        (4 * GIB + 1, 101),
        (2 * GIB, 101),
        (5 * GIB, 125),
    ] {
        sizes.learn(KIND, 4 * GIB, Took::Bytes(took));
        assert_eq!(seen(&sizes), Some(expected));
    }
    let again = DecodeSizes::on_disk(&path, &platform());
    assert_eq!(again.factors(), sizes.factors());
    let kind = json!({
        "dtype": "f16", "f32_sums": false, "spatial_tiles": true, "in_steps": false, "kernels": "on",
    });
    let found = entries(&path);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (&found[0]["kind"], &found[0]["percent"]),
        (&kind, &json!(125))
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn memory_that_ran_out_teaches_that_more_is_needed_than_there_was() {
    for (had, expected) in [
        (4 * GIB - 1, None),
        (4 * GIB, Some(101)),
        (5 * GIB, Some(126)),
        (100 * GIB, Some(300)),
    ] {
        let mut sizes = DecodeSizes::in_memory(&platform());
        sizes.learn(KIND, 4 * GIB, Took::MoreThan(had));
        assert_eq!(seen(&sizes), expected, "{had}");
        sizes.learn(KIND, 4 * GIB, Took::Bytes(4 * GIB));
        assert_eq!(seen(&sizes), expected.or(Some(100)), "{had}");
    }
}

#[test]
fn what_can_t_be_a_decodes_own_memory_is_bounded_or_passed_over() {
    let learnt = |planned, took| {
        let mut sizes = DecodeSizes::in_memory(&platform());
        sizes.learn(KIND, planned, took);
        seen(&sizes)
    };
    assert_eq!(learnt(GIB, Took::Bytes(0)), Some(50));
    assert_eq!(learnt(GIB, Took::Bytes(40 * GIB)), Some(300));
    for took in [Took::Bytes(GIB), Took::MoreThan(GIB)] {
        assert_eq!(learnt(LEAST_PLANNED_BYTES - 1, took), None);
        assert_eq!(learnt(0, took), None);
        assert!(learnt(LEAST_PLANNED_BYTES, took).is_some());
    }
}

#[test]
fn sizes_of_other_circumstances_are_not_used_and_hold_again_after_a_return() {
    let folder = tempfile::tempdir().unwrap();
    for other in [
        Platform {
            name: "cuda another card".into(),
            ..platform()
        },
        Platform {
            driver: None,
            ..platform()
        },
        Platform {
            build: Some(Fingerprint::of_folders([folder.path()]).unwrap()),
            ..platform()
        },
    ] {
        let (_folder, path) = folder_with(&json!([entry(&other, &json!(140))]));
        let mut sizes = DecodeSizes::on_disk(&path, &platform());
        assert_eq!(seen(&sizes), None, "{other:?}");
        sizes.learn(KIND, GIB, Took::Bytes(GIB));
        let found = entries(&path);
        let percents: Vec<_> = found.iter().map(|entry| &entry["percent"]).collect();
        assert_eq!(percents, [&json!(140), &json!(100)]);
        assert_eq!(seen(&DecodeSizes::on_disk(&path, &other)), Some(140));
    }
}

#[test]
fn a_damaged_file_is_set_aside_and_a_removed_one_is_forgotten() {
    for damaged in [
        "",
        "{",
        "[]",
        r#"{"format":2,"decoding":[]}"#,
        r#"{"format":1}"#,
    ] {
        let (folder, path) = empty();
        fs::write(&path, damaged).unwrap();
        let mut sizes = DecodeSizes::on_disk(&path, &platform());
        assert_eq!(sizes.factors(), DecodeFactors::default(), "{damaged}");
        let aside = folder.path().join("decoding-cuda0.json.damaged");
        assert_eq!(fs::read_to_string(aside).unwrap(), damaged);
        assert!(!path.exists());
        sizes.learn(KIND, GIB, Took::Bytes(2 * GIB));
        assert_eq!(seen(&DecodeSizes::on_disk(&path, &platform())), Some(200));
        fs::remove_file(&path).unwrap();
        sizes.read_again();
        assert_eq!(seen(&sizes), None);
    }
}

#[test]
fn what_is_not_understood_is_kept_and_not_used() {
    let later = json!({"kind": {"dtype": "f4"}, "percent": 200});
    let mut unknown = vec![later];
    for percent in [json!(-1), json!(1.5), json!("100"), Value::Null] {
        unknown.push(entry(&platform(), &percent));
    }
    let (_folder, path) = folder_with(&json!(unknown));
    let mut sizes = DecodeSizes::on_disk(&path, &platform());
    assert_eq!(sizes.factors(), DecodeFactors::default());
    sizes.learn(KIND, GIB, Took::Bytes(GIB));
    let found = entries(&path);
    assert_eq!(found[..unknown.len()], unknown);
    assert_eq!(found.len(), unknown.len() + 1);
}

#[test]
fn a_file_does_not_grow_without_end() {
    let other = |number: usize| Platform {
        name: format!("card {number}"),
        ..platform()
    };
    let many = (0..findings::MAX_LINES).map(|number| entry(&other(number), &json!(110)));
    let (_folder, path) = folder_with(&many.collect());
    let mut sizes = DecodeSizes::on_disk(&path, &platform());
    sizes.learn(KIND, GIB, Took::Bytes(GIB));
    assert_eq!(entries(&path).len(), findings::MAX_LINES);
    let [oldest, next] = [0, 1].map(|number| DecodeSizes::on_disk(&path, &other(number)));
    assert_eq!((seen(&oldest), seen(&next)), (None, Some(110)));
}

#[test]
fn a_file_that_can_t_be_written_fails_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing").join("decoding-cuda0.json");
    let mut sizes = DecodeSizes::on_disk(&path, &platform());
    sizes.learn(KIND, GIB, Took::Bytes(2 * GIB));
    assert_eq!(seen(&sizes), Some(200));
}
