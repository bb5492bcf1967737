//! Which transformer renders an F1 job: each has weights of its own, so the latents tell.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use framepack_ipc::worker::RenderRequest;
use framepack_jobs::Model;

use crate::{
    renders::brief,
    worker::{Desk, Worker, fixtures},
};

/// The tiny bundle without one of its entries.
fn bundle_without(desk: &Desk, name: &str, left_out: &str) -> PathBuf {
    let root = desk.path().join(name);
    fs::create_dir(&root).unwrap();
    for entry in fs::read_dir(fixtures().join("bundle")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != left_out {
            symlink(entry.path(), root.join(entry.file_name())).unwrap();
        }
    }
    root
}

/// The tiny bundle with weights of `seed` as another transformer, in the folder `component`.
fn bundle_with(desk: &Desk, component: &str, seed: u32) -> PathBuf {
    let root = bundle_without(desk, &format!("{component}-{seed}"), component);
    synthesise(&root.join(component), seed);
    root
}

/// A folder with nothing but a transformer.
fn folder_with(desk: &Desk, component: &str, seed: u32) -> PathBuf {
    let root = desk.path().join(format!("only-{component}-{seed}"));
    synthesise(&root.join(component), seed);
    root
}

fn synthesise(out: &Path, seed: u32) {
    let status = Command::new(env!("CARGO_BIN_EXE_framepack-worker"))
        .arg("synth")
        .arg("--config")
        .arg(fixtures().join("bundle/transformer"))
        .args(["--seed", &seed.to_string(), "--out"])
        .arg(out)
        .status()
        .unwrap();
    assert!(status.success());
}

/// An F1 job of one short section.
fn request(desk: &Desk, bundle: PathBuf, f1_bundle: Option<PathBuf>) -> RenderRequest {
    RenderRequest {
        bundle,
        f1_bundle,
        ..brief(desk.request(Model::F1, 1))
    }
}

#[test]
fn an_f1_job_takes_the_f1_transformer_wherever_it_is() {
    let desk = Desk::new();
    let mut worker = Worker::ready(desk.path());
    let mut render = |bundle: &Path, f1_bundle: Option<&Path>| {
        worker.render(&request(&desk, bundle.into(), f1_bundle.map(Into::into)))
    };
    let plain = fixtures().join("bundle");
    let five = bundle_with(&desk, "transformer_f1", 5);
    let six = folder_with(&desk, "transformer_f1", 6);
    let six_published_alone = folder_with(&desk, "transformer", 6);

    // Its one transformer renders both models' jobs.
    let shared = render(&plain, None);
    let own = render(&five, None);
    assert_ne!(own.latents_sha256, shared.latents_sha256);

    let elsewhere = render(&plain, Some(&six));
    assert_ne!(elsewhere.latents_sha256, shared.latents_sha256);
    assert_ne!(elsewhere.latents_sha256, own.latents_sha256);
    for (bundle, f1_bundle) in [(&five, &six), (&plain, &six_published_alone)] {
        let same = render(bundle, Some(f1_bundle));
        assert_eq!(same.latents_sha256, elsewhere.latents_sha256);
    }
    assert_eq!(render(&five, None).latents_sha256, own.latents_sha256);
}

#[test]
fn the_original_model_takes_its_own_transformer_beside_another() {
    let desk = Desk::new();
    let mut worker = Worker::ready(desk.path());
    let both = bundle_with(&desk, "transformer_f1", 5);
    let other = bundle_with(&desk, "transformer", 5);
    let mut latents_of = |bundle: PathBuf, f1_bundle: Option<PathBuf>| {
        let request = RenderRequest {
            model: Model::Original,
            ..request(&desk, bundle, f1_bundle)
        };
        worker.render(&request).latents_sha256
    };
    let expected = latents_of(fixtures().join("bundle"), None);
    assert_eq!(latents_of(both.clone(), Some(both)), expected);
    assert_ne!(latents_of(other, None), expected);
}

#[test]
fn another_models_transformer_does_not_stand_in_for_f1s() {
    let desk = Desk::new();
    let bundle = bundle_without(&desk, "plain", "framepack.json");
    let mut worker = Worker::ready(desk.path());
    let failure = worker.fail(&request(&desk, bundle.clone(), None));
    assert_eq!(failure.code, "FP3012");
    assert!(failure.message.contains("no transformer_f1"), "{failure:?}");
    // The same bundle renders the other model's jobs.
    let original = RenderRequest {
        model: Model::Original,
        ..request(&desk, bundle, None)
    };
    worker.render(&original);
}

#[test]
fn an_f1_bundle_without_a_transformer_is_an_error() {
    let desk = Desk::new();
    let empty = desk.path().join("empty");
    fs::create_dir(&empty).unwrap();
    fs::write(empty.join("README.md"), "no models").unwrap();
    let request = request(&desk, fixtures().join("bundle"), Some(empty));
    let failure = Worker::ready(desk.path()).fail(&request);
    assert_eq!(failure.code, "FP3012");
    assert!(failure.message.contains("no transformer_f1"), "{failure:?}");
}
