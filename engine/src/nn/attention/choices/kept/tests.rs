use std::{fs, path::PathBuf};

use serde_json::{Value, json};
use tch::Kind;

use super::*;
use crate::{
    findings,
    nn::attention::measured::{Candidate, Outcome},
    platform::Circumstances,
    weights::Fingerprint,
};

fn class(tokens: u64) -> Class {
    Class::new(Kind::Float, [2, 16], tokens)
}

fn platform() -> Platform {
    Platform {
        device: Device::Cpu,
        name: "cpu of the test".into(),
        driver: None,
        build: None,
    }
}

/// A folder with a file of these entries.
fn folder_with(entries: &Value) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("choices-cpu.json");
    let text = json!({"format": 1, "attention": entries}).to_string();
    fs::write(&path, text).unwrap();
    (folder, path)
}

fn entry(platform: &Platform, tokens: u64, backend: &str) -> Value {
    let circumstances = Circumstances::of(platform);
    json!({"circumstances": circumstances, "class": class(tokens), "backend": backend})
}

fn choose(path: &Path, tokens: u64) -> Backend {
    let mut choices = Choices::on_disk(path, &platform());
    kept(&mut choices, tokens)
}

fn kept(choices: &mut Choices, tokens: u64) -> Backend {
    let resolved = choices.choose(AttentionMode::Auto, &class(tokens)).unwrap();
    resolved.backend
}

/// The backends in a file, in their order.
fn backends(path: &Path) -> Vec<String> {
    let file: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert_eq!(file["format"], 1);
    let entries = file["attention"].as_array().unwrap().iter();
    let name = |entry: &Value| entry["backend"].as_str().unwrap_or_default().to_owned();
    entries.map(name).collect()
}

#[test]
fn the_default_is_noted_and_what_a_file_says_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("choices-cpu.json");
    assert_eq!(choose(&path, 100), Backend::Torch);
    assert_eq!(choose(&path, 300), Backend::Torch);
    assert_eq!(backends(&path), ["torch", "torch"]);

    let edited = fs::read_to_string(&path)
        .unwrap()
        .replacen("torch\"\n", "math\"\n", 1);
    fs::write(&path, &edited).unwrap();
    assert_eq!(choose(&path, 128), Backend::Math);
    assert_eq!(choose(&path, 129), Backend::Torch);
    assert_eq!(choose(&path, 300), Backend::Torch);
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn the_default_stands_in_for_a_backend_that_the_device_lacks() {
    let (_folder, path) = folder_with(&json!([entry(&platform(), 100, "cudnn")]));
    assert_eq!(choose(&path, 100), Backend::Torch);
    assert_eq!(backends(&path), ["cudnn"], "it may be there the next time");
}

#[test]
fn a_change_of_the_file_counts_from_the_next_job_on_and_is_kept() {
    let (_folder, path) = folder_with(&json!([entry(&platform(), 100, "torch")]));
    let mut choices = Choices::on_disk(&path, &platform());
    assert_eq!(kept(&mut choices, 100), Backend::Torch);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        text.replace(r#""backend":"torch""#, r#""backend":"math""#),
    )
    .unwrap();
    assert_eq!(kept(&mut choices, 300), Backend::Torch);
    assert_eq!(backends(&path), ["math", "torch"]);
    assert_eq!(kept(&mut choices, 100), Backend::Math);
}

#[test]
fn choices_of_other_circumstances_are_not_used_and_hold_again_after_a_return() {
    let empty = tempfile::tempdir().unwrap();
    for other in [
        Platform {
            name: "another".into(),
            ..platform()
        },
        Platform {
            driver: Some("570.133.20".into()),
            ..platform()
        },
        Platform {
            build: Some(Fingerprint::of_folders([empty.path()]).unwrap()),
            ..platform()
        },
    ] {
        let (_folder, path) = folder_with(&json!([entry(&other, 100, "math")]));
        assert_eq!(choose(&path, 100), Backend::Torch, "{other:?}");
        assert_eq!(backends(&path), ["math", "torch"]);
        let mut returned = Choices::on_disk(&path, &other);
        assert_eq!(kept(&mut returned, 100), Backend::Math);
    }

    let mut of_another_torch = entry(&platform(), 100, "math");
    of_another_torch["circumstances"]["torch"] = "2.0.0".into();
    let (_folder, path) = folder_with(&json!([of_another_torch]));
    assert_eq!(choose(&path, 100), Backend::Torch);
}

#[test]
fn entries_do_not_pile_up_and_those_in_use_stay() {
    let stale = |number: usize| Platform {
        name: number.to_string(),
        ..platform()
    };
    let stale = (0..100).map(|number| entry(&stale(number), 100, "flash"));
    let mut entries: Vec<Value> = vec![entry(&platform(), 100, "math")];
    entries.extend(stale);
    let (_folder, path) = folder_with(&entries.into());
    assert_eq!(choose(&path, 300), Backend::Torch);
    let kept = backends(&path);
    assert_eq!(kept.len(), findings::MAX_LINES);
    assert_eq!((kept[0].as_str(), kept[1].as_str()), ("math", "flash"));
    for exponent in 0..63 {
        choose(&path, 1 << exponent);
    }
    assert!(backends(&path).len() <= findings::MAX_LINES);
    assert_eq!(choose(&path, 100), Backend::Math);
}

#[test]
fn a_name_of_a_later_version_is_kept_and_the_others_count() {
    let (_folder, path) = folder_with(&json!([
        entry(&platform(), 100, "sage"),
        {"class": "of another form"},
        entry(&platform(), 300, "math"),
    ]));
    assert_eq!(choose(&path, 300), Backend::Math);
    assert_eq!(choose(&path, 100), Backend::Torch);
    assert_eq!(backends(&path), ["sage", "", "math", "torch"]);
}

#[test]
fn a_damaged_file_is_set_aside_and_replaced() {
    let (folder, path) = folder_with(&json!([]));
    let later = json!({"format": 2, "attention": []}).to_string();
    for damage in [&b"\xff\0 garbage"[..], b"", b"[]", later.as_bytes()] {
        fs::write(&path, damage).unwrap();
        assert_eq!(choose(&path, 100), Backend::Torch);
        assert_eq!(backends(&path), ["torch"]);
        let aside = folder.path().join("choices-cpu.json.damaged");
        assert_eq!(fs::read(aside).unwrap(), damage);
    }
}

#[test]
fn a_file_that_can_be_neither_read_nor_written_fails_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("choices-cpu.json");
    fs::create_dir(&path).unwrap();
    assert_eq!(choose(&path, 100), Backend::Torch);
    assert!(path.is_dir());
    assert_eq!(
        choose(&folder.path().join("gone/choices.json"), 100),
        Backend::Torch
    );
}

/// An entry with a measurement in which these backends passed, in so many microseconds.
fn measured_entry(tokens: u64, passed: &[(&str, u64)]) -> Value {
    let passed = passed.iter();
    let candidates: Vec<Value> = passed
        .map(|(backend, micros)| json!({"backend": backend, "micros": micros}))
        .collect();
    let mut entry = entry(&platform(), tokens, "cudnn");
    entry["measured"] = json!({"tokens": 128, "candidates": candidates});
    entry
}

fn measurement(passed: &[(Backend, u64)]) -> Measured {
    let candidates = passed.iter().map(|(backend, micros)| Candidate {
        backend: *backend,
        outcome: Outcome::Passed { micros: *micros },
    });
    Measured {
        tokens: 128,
        candidates: candidates.collect(),
    }
}

#[test]
fn what_was_measured_is_for_the_fastest_alone_and_measured_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("choices-cpu.json");
    let found = measurement(&[
        (Backend::Cudnn, 1),
        (Backend::Flash, 2),
        (Backend::MemoryEfficient, 3),
    ]);
    let expected = Resolved {
        lack: None,
        backend: Backend::Flash,
        reason: Some("cudnn is not available on cpu".into()),
    };
    let mut choices = Choices::on_disk(&path, &platform());
    let measured = choices.fastest(&class(100), |candidates| {
        assert_eq!(candidates, FUSED);
        Ok(found)
    });
    assert_eq!(measured.unwrap(), expected);
    assert_eq!(
        choose(&path, 100),
        Backend::Torch,
        "that is no choice for others"
    );
    assert_eq!(backends(&path), ["cudnn", "torch"]);

    let mut next_process = Choices::on_disk(&path, &platform());
    let again = next_process.fastest(&class(100), |_| panic!("it is known"));
    assert_eq!(again.unwrap(), expected);
    // What people write is for others alone, too.
    let edited = fs::read_to_string(&path)
        .unwrap()
        .replace(r#""backend": "torch""#, r#""backend": "math""#);
    fs::write(&path, edited).unwrap();
    assert_eq!(choose(&path, 100), Backend::Math);
    let again = next_process.fastest(&class(100), |_| panic!("it is known"));
    assert_eq!(again.unwrap(), expected);
}

#[test]
fn a_measurement_that_lacks_a_candidate_is_made_again_and_replaced() {
    let other_class = measured_entry(300, &[("flash", 5)]);
    let (_folder, path) = folder_with(&json!([
        entry(&platform(), 100, "math"),
        measured_entry(100, &[("cudnn", 1), ("flash", 2)]),
        other_class,
    ]));
    let mut choices = Choices::on_disk(&path, &platform());
    let found = measurement(&[
        (Backend::MemoryEfficient, 3),
        (Backend::Flash, 4),
        (Backend::Cudnn, 5),
    ]);
    let fastest = choices.fastest(&class(100), |_| Ok(found)).unwrap();
    assert_eq!(fastest.backend, Backend::Flash);
    assert_eq!(
        fastest.reason.unwrap(),
        "memory-efficient is not available on cpu"
    );
    assert_eq!(backends(&path), ["math", "cudnn", "memory-efficient"]);
    assert_eq!(choose(&path, 100), Backend::Math);
}

#[test]
fn a_measured_backend_that_the_device_lacks_gives_way_to_the_next_and_to_torchs() {
    for (passed, backend, reason) in [
        (
            &[("cudnn", 1), ("memory-efficient", 2), ("flash", 3)][..],
            Backend::Flash,
            "cudnn is not available on cpu; memory-efficient is not available on cpu",
        ),
        (
            &[("cudnn", 1), ("memory-efficient", 2)],
            Backend::Torch,
            "flash computes NaN or Inf; cudnn is not available on cpu; memory-efficient is not available on cpu: \
             torch's own choice was used",
        ),
    ] {
        let mut entry = measured_entry(100, passed);
        if passed.len() < FUSED.len() {
            let failed = json!({"backend": "flash", "failed": "flash computes NaN or Inf"});
            entry["measured"]["candidates"]
                .as_array_mut()
                .unwrap()
                .push(failed);
        }
        let (_folder, path) = folder_with(&json!([entry]));
        let mut choices = Choices::on_disk(&path, &platform());
        let found = choices
            .fastest(&class(100), |_| panic!("it is known"))
            .unwrap();
        assert_eq!(
            (found.backend, found.reason.as_deref()),
            (backend, Some(reason))
        );
        assert_eq!(backends(&path), ["cudnn"], "it may be there the next time");
    }
}

#[test]
fn without_room_for_a_measurement_nothing_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("choices-cpu.json");
    let mut choices = Choices::on_disk(&path, &platform());
    let short = Error::VramShort {
        target_bytes: 2,
        free_bytes: 1,
        held_bytes: 0,
    };
    let found = choices.fastest(&class(100), |_| Err(short)).unwrap();
    assert_eq!(found.backend, Backend::Torch);
    assert!(found.reason.unwrap().starts_with("no room to measure"));
    assert!(!path.exists());
    let broken = Error::Cancelled;
    assert!(choices.fastest(&class(100), |_| Err(broken)).is_err());
}

#[test]
fn every_mode_is_torchs_own_kernel_on_a_processor() {
    let (_folder, path) = folder_with(&json!([
        entry(&platform(), 100, "math"),
        measured_entry(100, &[("cudnn", 1), ("flash", 2), ("memory-efficient", 3)]),
    ]));
    let mut choices = Choices::on_disk(&path, &platform());
    for mode in AttentionMode::ALL {
        let found = choices.choose(mode, &class(100)).unwrap();
        if mode == AttentionMode::Auto {
            assert_eq!(found, Backend::Math.into());
        } else {
            assert_eq!(found, Resolved::on_a_processor(), "{mode}");
        }
    }
}
