//! `done` is said of what was decoded again, and without the program for it, the report says that it was not.

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use framepack_ipc::worker::{FromWorker, Verified};
use framepack_jobs::{Class, Model};

use crate::{
    renders::brief,
    worker::{Desk, PROGRAM, Worker},
};

/// A worker that finds its programs in `path` alone.
fn worker_with(desk: &Desk, path: &std::path::Path) -> Worker {
    let mut command = Command::new(PROGRAM);
    command
        .args(["serve", "--device", "cpu", "--state-dir"])
        .arg(desk.path())
        .env("PATH", path);
    let worker = Worker::spawn(command);
    assert!(matches!(worker.next(), FromWorker::Ready(_)));
    worker
}

#[test]
fn a_video_is_decoded_by_ffmpeg_where_there_is_one() {
    let desk = Desk::new();
    let request = brief(desk.request(Model::Original, 1));
    let output = Worker::ready(desk.path()).render(&request);
    assert_eq!(output.verified, Verified::Ffmpeg);
    assert!(output.warnings.is_empty(), "{:?}", output.warnings);

    let nothing = tempfile::tempdir().unwrap();
    let output = worker_with(&desk, nothing.path()).render(&request);
    assert_eq!(output.verified, Verified::Container);
    assert!(
        output.warnings[0].contains("ffmpeg is not in PATH"),
        "{:?}",
        output.warnings
    );
}

#[test]
fn what_ffmpeg_finds_wrong_is_no_video() {
    let desk = Desk::new();
    let programs = tempfile::tempdir().unwrap();
    let says = |text: &str| {
        let program = programs.path().join("ffmpeg");
        fs::write(&program, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let request = brief(desk.request(Model::Original, 1));
    let mut worker = worker_with(&desk, programs.path());
    for (text, class, code) in [
        ("echo corrupt >&2; exit 1", Class::Io, "FP6017"),
        ("echo 'a frame was hidden' >&2", Class::Io, "FP6017"),
        ("true", Class::Io, "FP6016"),
    ] {
        says(text);
        let failure = worker.fail(&request);
        assert_eq!(
            (failure.class, failure.code.as_str()),
            (class, code),
            "{text}"
        );
    }
    let frames = 13;
    says(&format!(
        "i=0; while [ $i -lt {frames} ]; do echo \"frame:$i pts:0 pts_time:0.4\"; echo lavfi.signalstats.YAVG=0; i=$((i+1)); done"
    ));
    let failure = worker.fail(&request);
    assert_eq!(
        (failure.class, failure.code.as_str()),
        (Class::Numerics, "FP6018")
    );
    let left: Vec<_> = fs::read_dir(desk.path()).unwrap().flatten().collect();
    let videos = left.iter().filter(|entry| {
        let name = entry.file_name().into_string().unwrap();
        name.contains("mp4")
    });
    assert_eq!(videos.count(), 0, "{left:?}");
    // Latents that look black are not continued by the next attempt.
    assert!(!request.work_dir.join("checkpoint-001.safetensors").exists());
}
