//! `done` is said of what was decoded again, and without the program for it, the report says that it was not.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, process::Command};

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
        .env("FFMPEG", real_ffmpeg())
        .env("PATH", path);
    let worker = Worker::spawn(command);
    assert!(matches!(worker.next(), FromWorker::Ready(_)));
    worker
}

fn real_ffmpeg() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut programs = std::env::split_paths(&path).map(|folder| folder.join("ffmpeg"));
    programs
        .find(|file| file.is_file())
        .expect("tests need ffmpeg")
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

/// The video that is decoded is the tenth argument; the clip that a program is tried on has another name.
const REAL: &str = "exec \"$FFMPEG\" \"$@\"";
const IS_CLIP: &str = "case \"${10}\" in *framepack-clip*) exec \"$FFMPEG\" \"$@\";; esac";

#[test]
fn a_video_is_lost_neither_by_a_broken_ffmpeg_nor_kept_if_it_is_damaged() {
    let desk = Desk::new();
    let programs = tempfile::tempdir().unwrap();
    let says = |text: &str| {
        let program = programs.path().join("ffmpeg");
        fs::write(&program, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let request = brief(desk.request(Model::Original, 1));
    let mut worker = worker_with(&desk, programs.path());
    for (text, verified) in [
        (
            "echo 'libavdevice.so.59: cannot open shared object file' >&2; exit 127",
            Verified::Container,
        ),
        ("echo 'Decoder not found' >&2; exit 1", Verified::Container),
        ("true", Verified::Container),
        (
            &format!("echo 'a harmless line' >&2; {REAL}"),
            Verified::Ffmpeg,
        ),
    ] {
        says(text);
        let output = worker.render(&request);
        assert_eq!(output.verified, verified, "{text}");
        let is_told = output
            .warnings
            .iter()
            .any(|line| line.contains("ffmpeg does not work"));
        assert_eq!(
            is_told,
            verified == Verified::Container,
            "{:?}",
            output.warnings
        );
        fs::remove_file(&output.video).unwrap();
    }
    let frames = 13;
    let black = format!(
        "i=0; while [ $i -lt {frames} ]; do echo \"frame:$i pts:0 pts_time:0.4\"; echo lavfi.signalstats.YAVG=0; i=$((i+1)); done"
    );
    for (text, class, code) in [
        ("echo corrupt >&2; exit 1", Class::Io, "FP6017"),
        ("true", Class::Io, "FP6016"),
        (&black, Class::Numerics, "FP6018"),
    ] {
        says(&format!("{IS_CLIP}\n{text}"));
        let failure = worker.fail(&request);
        assert_eq!(
            (failure.class, failure.code.as_str()),
            (class, code),
            "{text}"
        );
    }
    let left: Vec<_> = fs::read_dir(desk.path()).unwrap().flatten().collect();
    let videos = left.iter().filter(|entry| {
        let name = entry.file_name().into_string().unwrap();
        name.contains("mp4")
    });
    assert_eq!(videos.count(), 0, "{left:?}");
    // Latents that look black are not continued by the next attempt.
    assert!(!request.work_dir.join("checkpoint-001.safetensors").exists());
}
