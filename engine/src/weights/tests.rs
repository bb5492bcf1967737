//! Weights on disk: what loads, and what each fault is reported as.

use std::{
    fs::{self, OpenOptions},
    path::Path,
};

use safetensors::{Dtype, serialize_to_file, tensor::TensorView};
use tch::{Device, Kind, Tensor};
use tempfile::TempDir;

use super::{Layout, Loading, WeightsError, save_synthesised};

const LAYOUT: Layout = Layout {
    base: "model",
    optional_prefixes: &["text_model."],
    ignored: |name| name.ends_with("position_ids"),
};

/// Writes tensors of f32 zeros, except that names ending in `_ids` are i64.
fn write(dir: &Path, file: &str, tensors: &[(&str, &[usize])]) {
    let zeros = vec![0; 1 << 16];
    let views = tensors.iter().map(|(name, shape)| {
        let dtype = if name.ends_with("_ids") {
            Dtype::I64
        } else {
            Dtype::F32
        };
        let bytes = shape.iter().product::<usize>() * dtype.bitsize() / 8;
        (
            *name,
            TensorView::new(dtype, shape.to_vec(), &zeros[..bytes]).unwrap(),
        )
    });
    serialize_to_file(views, None, &dir.join(file)).unwrap();
}

fn index(dir: &Path, map: &[(&str, &str)]) {
    let map: serde_json::Map<_, _> = map
        .iter()
        .map(|(k, v)| ((*k).into(), (*v).into()))
        .collect();
    let text = serde_json::json!({"metadata": {"total_size": 0}, "weight_map": map});
    fs::write(dir.join("model.safetensors.index.json"), text.to_string()).unwrap();
}

fn dir() -> TempDir {
    TempDir::new().unwrap()
}

fn open_error(dir: &TempDir) -> WeightsError {
    Loading::open(dir.path(), &LAYOUT).unwrap_err()
}

/// Asks the files for one tensor of `shape`, then ends loading.
fn load(dir: &TempDir, name: &str, shape: &[i64]) -> Result<Tensor, WeightsError> {
    let loading = Loading::open(dir.path(), &LAYOUT)?;
    let tensor = loading
        .weights(Device::Cpu, Kind::BFloat16)
        .get(name, shape)?;
    loading.finish()?;
    Ok(tensor)
}

#[test]
fn shards_prefixes_and_ignored_tensors() {
    let dir = dir();
    write(
        dir.path(),
        "a.safetensors",
        &[
            ("text_model.x.weight", &[2, 3]),
            ("text_model.position_ids", &[1, 4]),
        ],
    );
    write(dir.path(), "b.safetensors", &[("y.weight", &[5])]);
    index(
        dir.path(),
        &[
            ("text_model.x.weight", "a.safetensors"),
            ("text_model.position_ids", "a.safetensors"),
            ("y.weight", "b.safetensors"),
        ],
    );
    let loading = Loading::open(dir.path(), &LAYOUT).unwrap();
    let weights = loading.weights(Device::Cpu, Kind::Half);
    let x = weights.pp("x").get("weight", &[2, 3]).unwrap();
    assert_eq!((x.size(), x.kind()), (vec![2, 3], Kind::Half));

    let message = loading.finish().unwrap_err().to_string();
    assert!(
        message.contains("b.safetensors") && message.contains("y.weight"),
        "{message}"
    );
    let _ = weights.get("y.weight", &[5]).unwrap();
    loading.finish().unwrap();
}

#[test]
fn a_missing_or_misshaped_tensor_is_named_with_what_was_expected() {
    let dir = dir();
    write(dir.path(), "model.safetensors", &[("x.weight", &[2, 3])]);
    let error = load(&dir, "z.weight", &[7]).unwrap_err();
    assert_eq!(error.code().as_str(), "FP3007");
    let message = error.to_string();
    assert!(
        message.contains("model.safetensors")
            && message.contains("z.weight")
            && message.contains("[7]")
    );

    let error = load(&dir, "x.weight", &[3, 2]).unwrap_err();
    assert!(
        matches!(&error, WeightsError::Shape { expected, found, .. } if *expected == [3, 2] && *found == [2, 3]),
        "{error}"
    );
}

#[test]
fn integers_are_no_weights() {
    let dir = dir();
    write(dir.path(), "model.safetensors", &[("some_ids", &[2])]);
    let error = load(&dir, "some_ids", &[2]).unwrap_err();
    assert!(
        matches!(&error, WeightsError::Dtype { found, .. } if found == "I64"),
        "{error}"
    );
}

#[test]
fn a_truncated_file_names_the_first_tensor_that_is_not_whole() {
    let dir = dir();
    write(
        dir.path(),
        "model.safetensors",
        &[("a", &[100]), ("b", &[100]), ("c", &[100])],
    );
    let path = dir.path().join("model.safetensors");
    let length = fs::metadata(&path).unwrap().len();
    OpenOptions::new()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(length - 500)
        .unwrap();
    let error = open_error(&dir);
    let WeightsError::Truncated {
        tensor,
        expected_bytes,
        found_bytes,
        ..
    } = &error
    else {
        panic!("{error}")
    };
    assert_eq!(
        (tensor.as_str(), *expected_bytes, *found_bytes),
        ("b", length - 400, length - 500)
    );
}

#[test]
fn what_is_no_safetensors_file_is_refused() {
    for bytes in [
        &b"short"[..],
        b"\x80\x02}q\x00.not a safetensors file",
        b"\x02\0\0\0\0\0\0\0[]",
    ] {
        let dir = dir();
        fs::write(dir.path().join("model.safetensors"), bytes).unwrap();
        let error = open_error(&dir);
        assert!(
            matches!(error, WeightsError::Malformed { .. }),
            "{bytes:?}: {error}"
        );
    }
}

#[test]
fn what_lies_in_the_place_of_weights_is_named() {
    for (bytes, code) in [
        (&b""[..], "FP3015"),
        (&[0; 4096], "FP3015"),
        (b"<!DOCTYPE html>", "FP3016"),
        (b"version https://git-lfs.github.com/spec/v1\n", "FP3014"),
    ] {
        let dir = dir();
        fs::write(dir.path().join("model.safetensors"), bytes).unwrap();
        assert_eq!(open_error(&dir).code().as_str(), code, "{bytes:?}");
    }
    let dir = dir();
    fs::write(dir.path().join("model.safetensors.part"), "x").unwrap();
    assert_eq!(open_error(&dir).code().as_str(), "FP3015");
}

#[test]
fn an_empty_folder_and_a_pickle_are_told_apart() {
    let dir = dir();
    assert!(matches!(open_error(&dir), WeightsError::NotFound { .. }));
    fs::write(dir.path().join("pytorch_model.bin"), "").unwrap();
    let error = open_error(&dir);
    assert!(
        matches!(&error, WeightsError::Pickle { path } if path.ends_with("pytorch_model.bin")),
        "{error}"
    );
}

#[test]
fn an_index_must_fit_its_shards() {
    let reason = |map: &[(&str, &str)]| {
        let dir = dir();
        write(dir.path(), "a.safetensors", &[("x", &[1]), ("y", &[1])]);
        index(dir.path(), map);
        match open_error(&dir) {
            WeightsError::Index { reason, .. } => reason,
            other => panic!("{other}"),
        }
    };
    let [x, y] = [("x", "a.safetensors"), ("y", "a.safetensors")];
    assert!(reason(&[x, y, ("z", "a.safetensors")]).contains("tensor z"));
    assert!(reason(&[x]).contains("tensor y"));
    assert!(reason(&[x, y, ("z", "b.safetensors")]).contains("b.safetensors is missing"));
    assert!(reason(&[("x", "../a.safetensors")]).contains("not the name of a file"));

    let dir = dir();
    fs::write(dir.path().join("model.safetensors.index.json"), "{}").unwrap();
    assert!(open_error(&dir).to_string().contains("weight_map"));
}

#[test]
fn one_tensor_under_two_names_is_refused() {
    let dir = dir();
    write(
        dir.path(),
        "model.safetensors",
        &[("x", &[1]), ("text_model.x", &[1])],
    );
    assert!(open_error(&dir).to_string().contains("stored twice"));
}

#[test]
fn saved_synthesised_weights_are_the_ones_made_in_place() {
    let dir = dir();
    let made = Loading::synthesised(11);
    let weights = made.weights(Device::Cpu, Kind::BFloat16);
    let (w, b) = (
        weights.get("l.weight", &[7, 9]).unwrap(),
        weights.get("l.bias", &[7]).unwrap(),
    );
    save_synthesised(11, &made.taken(), &dir.path().join("model.safetensors")).unwrap();

    let saved = Loading::open(dir.path(), &LAYOUT).unwrap();
    let weights = saved.weights(Device::Cpu, Kind::BFloat16);
    assert_eq!(weights.get("l.weight", &[7, 9]).unwrap(), w);
    assert_eq!(weights.get("l.bias", &[7]).unwrap(), b);
    saved.finish().unwrap();
}

#[test]
fn shapes_alone_take_no_memory() {
    let loading = Loading::shapes();
    let huge = loading
        .weights(Device::Cpu, Kind::Float)
        .get("x", &[1 << 20, 1 << 20])
        .unwrap();
    assert_eq!(huge.size(), [1 << 20, 1 << 20]);
    assert_eq!(loading.taken()["x"], [1 << 20, 1 << 20]);
}
