//! Requests that cannot be fulfilled: each failure has its class and code, and the worker goes on.

use std::{fs, path::Path};

use framepack_ipc::worker::RenderRequest;
use framepack_jobs::{Class, Model};

use crate::worker::{Desk, Worker, fixtures};

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A request whose bundle is a copy that `damage` has been at.
fn with_damaged_bundle(desk: &Desk, damage: impl FnOnce(&Path)) -> RenderRequest {
    let bundle = desk.path().join("bundle");
    copy_folder(&fixtures().join("bundle"), &bundle);
    damage(&bundle);
    RenderRequest {
        bundle,
        ..desk.request(Model::Original, 1)
    }
}

#[test]
fn a_missing_image_is_the_users_and_the_next_job_is_rendered() {
    let desk = Desk::new();
    let mut worker = Worker::ready(desk.path());
    let good = desk.request(Model::Original, 1);
    let image = desk.path().join("nothing.png");
    let failure = worker.fail(&RenderRequest {
        image,
        image_name: "photos/of-the-user.png".into(),
        ..good.clone()
    });
    assert_eq!(
        (failure.class, failure.code.as_str()),
        (Class::Input, "FP2001")
    );
    assert!(
        failure.message.contains("photos/of-the-user.png"),
        "{}",
        failure.message
    );
    worker.render(&good);
}

#[test]
fn a_truncated_checkpoint_is_named() {
    let desk = Desk::new();
    let file = "transformer/diffusion_pytorch_model.safetensors";
    let request = with_damaged_bundle(&desk, |bundle| {
        let path = bundle.join(file);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    });
    let failure = Worker::ready(desk.path()).fail(&request);
    assert_eq!(failure.class, Class::Internal);
    assert!(failure.code.as_str().starts_with("FP3"), "{failure:?}");
    assert!(failure.message.contains(file), "{}", failure.message);
    assert!(!request.output.exists());
}

#[test]
fn a_setting_that_the_worker_does_not_carry_out_fails_the_job() {
    let desk = Desk::new();
    let mut request = desk.request(Model::Original, 1);
    request
        .settings
        .set("storage.transformer", framepack_jobs::Value::from("nf4"));
    let failure = Worker::ready(desk.path()).fail(&request);
    assert_eq!(failure.code.as_str(), "FP2105");
    assert!(
        failure.message.contains("storage.transformer"),
        "{}",
        failure.message
    );
}

#[test]
fn a_missing_component_is_named() {
    let desk = Desk::new();
    let request = with_damaged_bundle(&desk, |bundle| {
        fs::remove_dir_all(bundle.join("vae")).unwrap();
    });
    let failure = Worker::ready(desk.path()).fail(&request);
    assert!(failure.code.as_str().starts_with("FP3"), "{failure:?}");
    assert!(failure.message.contains("no vae"), "{}", failure.message);
}

#[test]
fn weights_that_give_no_numbers_fail_instead_of_a_black_video() {
    let desk = Desk::new();
    let request = with_damaged_bundle(&desk, |bundle| {
        let path = bundle.join("transformer/diffusion_pytorch_model.safetensors");
        let mut bytes = fs::read(&path).unwrap();
        let header_bytes = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        bytes[8 + header_bytes..].fill(0xff); // all ones is a NaN in every float type
        fs::write(&path, bytes).unwrap();
    });
    let failure = Worker::ready(desk.path()).fail(&request);
    assert_eq!(failure.class, Class::Numerics);
    assert!(failure.message.contains("section 1"), "{}", failure.message);
}
