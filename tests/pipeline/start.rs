//! What a worker prepares before it is ready, and what it does not.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use framepack_ipc::worker::{FromWorker, RenderRequest, WorkerInfo};
use framepack_jobs::Model;

use crate::{
    failures::copy_folder,
    renders::brief,
    worker::{Desk, PROGRAM, Worker, fixtures},
};

/// A worker for `bundle`, and what it says when it is ready.
fn started(desk: &Desk, fast_start: &str, bundle: &Path) -> (Worker, WorkerInfo) {
    let bundle = bundle.to_str().expect("the path is text");
    let arguments = ["--fast-start", fast_start, "--bundle", bundle];
    ready(Worker::start_with(desk.path(), &arguments))
}

fn ready(worker: Worker) -> (Worker, WorkerInfo) {
    match worker.next() {
        FromWorker::Ready(info) => (worker, info),
        other => panic!("{other:?}"),
    }
}

fn has_choices(desk: &Desk) -> bool {
    desk.path().join("choices-cpu.json").exists()
}

#[test]
fn what_is_prepared_is_logged_and_changes_no_result() {
    let bundle = fixtures().join("bundle");
    let rendered = |fast_start: Option<&str>| {
        let desk = Desk::new();
        let (mut worker, info) = match fast_start {
            Some(word) => started(&desk, word, &bundle),
            None => ready(Worker::start(desk.path())),
        };
        let is_prepared = fast_start == Some("off");
        assert_eq!(info.prepared_secs.is_some(), is_prepared, "{fast_start:?}");
        assert_eq!(has_choices(&desk), is_prepared, "{fast_start:?}");
        if is_prepared {
            assert!(info.prepared_secs > Some(0.0));
            for line in [
                "prepared: the device computes right",
                "prepared: weight files are opened files=5",
                "prepared: attention",
                "prepared: encoders are read ahead",
                "prepared for the first job",
            ] {
                worker.wait_for_log(line);
            }
        }
        let choices = || fs::read(desk.path().join("choices-cpu.json")).ok();
        let before = choices();
        let request = RenderRequest {
            bucket: None,
            latent_window: None,
            ..brief(desk.request(Model::Original, 1))
        };
        let output = worker.render(&request);
        if is_prepared {
            assert_eq!(choices(), before, "the choice was there");
        }
        (output.latents_sha256, output.stream_sha256)
    };
    let lazy = rendered(None);
    assert_eq!(rendered(Some("on")), lazy);
    assert_eq!(rendered(Some("off")), lazy);
}

#[test]
fn a_bundle_that_is_missing_or_damaged_is_left_to_its_jobs() {
    let desk = Desk::new();
    let bundle = desk.path().join("bundle");
    let request = RenderRequest {
        bundle: bundle.clone(),
        ..brief(desk.request(Model::Original, 1))
    };
    let shorten = |file: &str| {
        let path = bundle.join(file);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    };
    let make: [(&str, &dyn Fn()); 3] = [
        ("FP3012", &|| {}),
        ("FP3005", &|| {
            copy_folder(&fixtures().join("bundle"), &bundle);
            shorten("text_encoder/model.safetensors");
        }),
        ("FP3012", &|| {
            fs::remove_dir_all(bundle.join("vae")).unwrap();
        }),
    ];
    for (code, harm) in make {
        harm();
        let (mut worker, info) = started(&desk, "off", &bundle);
        assert!(info.prepared_secs.is_some());
        worker.wait_for_log("not prepared");
        worker.wait_for_log("prepared for the first job");
        let prepared = worker.fail(&request);
        drop(worker);
        let (mut lazy, _) = started(&desk, "on", &bundle);
        assert_eq!(prepared, lazy.fail(&request));
        assert_eq!(prepared.code.as_str(), code);
    }
}

#[test]
fn f1s_own_bundle_is_looked_at_and_needs_the_other_one() {
    let desk = Desk::new();
    let (f1, main) = (desk.path().join("f1"), fixtures().join("bundle"));
    copy_folder(&main.join("transformer"), &f1.join("transformer_f1"));
    let [f1, main] = [&f1, &main].map(|path| path.to_str().expect("the path is text"));
    let arguments = ["--bundle", main, "--f1-bundle", f1];
    let worker = Worker::start_with(desk.path(), &arguments);
    let (worker, _) = ready(worker);
    worker.wait_for_log("weight files are opened files=6");
    drop(worker);

    let alone = Command::new(PROGRAM)
        .args(["serve", "--f1-bundle", f1, "--state-dir"])
        .arg(desk.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(alone.status.code(), Some(2), "{alone:?}");
}
