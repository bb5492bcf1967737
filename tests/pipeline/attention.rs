//! The attention backend: set for a worker, kept in its choice file, or continued from a job's checkpoints. On the CPU,
//! torch's choice and `math` round differently, so that the latents tell which one was used.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use framepack_ipc::worker::{Attention, ChosenBy, Precaution, RenderOutput, RenderRequest};
use framepack_jobs::Model;
use serde_json::Value;

use crate::{
    renders::brief,
    resume::{exact, fresh, interrupted},
    worker::{Desk, PROGRAM, Worker, fixtures},
};

pub(crate) const MATH: [&str; 2] = ["--attention-backend", "math"];

/// What computed a job's attention, and who chose it.
pub(crate) fn used(output: &RenderOutput) -> (&str, &ChosenBy) {
    let Attention {
        backend, chosen_by, ..
    } = output.attention.as_ref().unwrap();
    (backend, chosen_by)
}

/// What the plan counts for a step beside the weights.
fn planned_bytes(output: &RenderOutput) -> u64 {
    let plan = output.memory_plan.as_ref().unwrap();
    plan.transformer.activation_bytes
}

pub(crate) fn request(desk: &Desk) -> RenderRequest {
    brief(desk.request(Model::Original, 2))
}

/// The job from its start, by a new worker with `arguments`.
pub(crate) fn rendered(desk: &Desk, arguments: &[&str], request: &RenderRequest) -> RenderOutput {
    Worker::ready_with(desk.path(), arguments).render(request)
}

pub(crate) fn choice_file(desk: &Desk) -> PathBuf {
    desk.path().join("choices-cpu.json")
}

/// The backends in the choice file.
fn chosen(desk: &Desk) -> Vec<String> {
    let file: Value = serde_json::from_slice(&fs::read(choice_file(desk)).unwrap()).unwrap();
    let entries = file["attention"].as_array().unwrap().iter();
    let name = |entry: &Value| Some(entry.get("backend")?.as_str()?.to_owned());
    entries.filter_map(name).collect()
}

/// Puts another backend in the place of all in the choice file.
pub(crate) fn choose(desk: &Desk, backend: &str) {
    let path = choice_file(desk);
    let mut file: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for entry in file["attention"].as_array_mut().unwrap() {
        entry["backend"] = backend.into();
    }
    fs::write(path, file.to_string()).unwrap();
}

#[test]
fn a_job_goes_on_with_the_backend_that_began_it() {
    let desk = Desk::new();
    let request = request(&desk);
    let torchs = rendered(&desk, &[], &request);
    assert_eq!(used(&torchs), ("torch", &ChosenBy::Device));
    let math = rendered(&desk, &MATH, &request);
    assert_eq!(used(&math), ("math", &ChosenBy::Flag));
    assert_ne!(math.latents_sha256, torchs.latents_sha256);

    // (how the first worker is started, how the second is)
    for (begun, continued, expected) in [(&MATH[..], &[][..], &math), (&[], &MATH, &torchs)] {
        let request = fresh(&desk, &request, &format!("begun-with-{}", begun.len()));
        let worker = Worker::ready_with(desk.path(), begun);
        assert!(interrupted(worker, &request, 1));
        let output = Worker::ready_with(desk.path(), continued).go_on(&request);
        assert_eq!(output.resumed, Some(exact(1)));
        assert_eq!(output.latents_sha256, expected.latents_sha256);
        let (backend, _) = used(expected);
        assert_eq!(used(&output), (backend, &ChosenBy::Checkpoint));
    }
    // What checkpoints and command lines say is no choice for the device.
    assert_eq!(chosen(&desk), ["torch"]);
}

#[test]
fn a_choice_of_the_file_is_for_jobs_that_begin() {
    let desk = Desk::new();
    let request = request(&desk);
    let torchs = rendered(&desk, &[], &request);
    choose(&desk, "math");
    let math = rendered(&desk, &[], &request);
    assert_eq!(used(&math), ("math", &ChosenBy::Device));
    assert_ne!(math.latents_sha256, torchs.latents_sha256);
    assert!(planned_bytes(&math) > planned_bytes(&torchs));
    let of_flag = rendered(&desk, &MATH, &request);
    assert_eq!(planned_bytes(&of_flag), planned_bytes(&math));

    let begun = fresh(&desk, &request, "begun");
    assert!(interrupted(Worker::ready(desk.path()), &begun, 1));
    choose(&desk, "torch");
    let mut worker = Worker::ready(desk.path());
    let output = worker.go_on(&begun);
    assert_eq!(output.resumed, Some(exact(1)));
    assert_eq!(output.latents_sha256, math.latents_sha256);
    let again = worker.render(&request);
    assert_eq!(used(&again), ("torch", &ChosenBy::Device));
    assert_eq!(again.latents_sha256, torchs.latents_sha256);
    choose(&desk, "math"); // while the worker runs
    let changed = worker.render(&fresh(&desk, &request, "changed"));
    assert_eq!(used(&changed), ("math", &ChosenBy::Device));
    assert_eq!(changed.latents_sha256, math.latents_sha256);
}

/// On the CPU torch is left with `math` where it avoids what it prefers.
#[test]
fn a_precaution_computes_otherwise_whatever_was_used() {
    let desk = Desk::new();
    let request = request(&desk);
    let flash = ["--attention-backend", "flash"];
    for arguments in [&[][..], &MATH, &flash] {
        let request = fresh(&desk, &request, &arguments.concat());
        let mut worker = Worker::ready_with(desk.path(), arguments);
        let usual = worker.render(&request);
        let careful = RenderRequest {
            precaution: Precaution::Numerics,
            ..fresh(&desk, &request, &format!("careful{}", arguments.concat()))
        };
        let output = worker.render(&careful);
        assert_eq!(used(&output), ("torch", &ChosenBy::Precaution));
        assert_ne!(output.latents_sha256, usual.latents_sha256, "{arguments:?}");
    }
}

#[test]
fn a_precaution_goes_before_the_checkpoints_backend() {
    let desk = Desk::new();
    let request = request(&desk);
    for (arguments, expected) in [
        (
            &[][..],
            "attention was torch and is torch without its preferred kernels",
        ),
        (&MATH, "attention was math and is torch"),
    ] {
        let request = fresh(&desk, &request, &format!("begun{}", arguments.concat()));
        let worker = Worker::ready_with(desk.path(), arguments);
        assert!(interrupted(worker, &request, 1));
        let careful = RenderRequest {
            precaution: Precaution::Numerics,
            ..request
        };
        let output = Worker::ready_with(desk.path(), arguments).go_on(&careful);
        assert_eq!(used(&output), ("torch", &ChosenBy::Precaution));
        let resumed = output.resumed.unwrap();
        assert!(!resumed.is_exact);
        let reason = resumed.reason.unwrap();
        assert_eq!(reason, format!("since section 1: {expected}"));
    }
}

#[test]
fn what_is_wrong_with_the_choice_file_fails_no_job() {
    let desk = Desk::new();
    let request = brief(desk.request(Model::Original, 1));
    let whole = rendered(&desk, &[], &request);
    let good = fs::read(choice_file(&desk)).unwrap();
    for (damage, is_set_aside) in [
        (&b"\xff\0 garbage"[..], true),
        (&good[..good.len() / 2], true),
        (br#"{"format": 99, "attention": []}"#, true),
        (br#"{"format": 1, "attention": [7]}"#, false),
    ] {
        fs::write(choice_file(&desk), damage).unwrap();
        let mut worker = Worker::ready(desk.path());
        worker.wait_for_log("WARN");
        let output = worker.render(&request);
        assert_eq!(output.latents_sha256, whole.latents_sha256);
        assert_eq!(used(&output), ("torch", &ChosenBy::Device));
        assert_eq!(chosen(&desk), ["torch"]);
        let aside = choice_file(&desk).with_extension("json.damaged");
        assert_eq!(aside.exists(), is_set_aside);
        if is_set_aside {
            assert_eq!(fs::read(&aside).unwrap(), damage);
            fs::remove_file(aside).unwrap();
        }
    }

    // A backend that the device lacks, and one that only a later version has: neither is lost.
    for (backend, expected) in [("cudnn", &["cudnn"][..]), ("sage", &["sage", "torch"])] {
        fs::write(choice_file(&desk), &good).unwrap();
        choose(&desk, backend);
        let output = rendered(&desk, &[], &request);
        assert_eq!(output.latents_sha256, whole.latents_sha256, "{backend}");
        assert_eq!(chosen(&desk), expected);
    }
}

pub(crate) fn framepack_worker(arguments: &[&str], path: &[(&str, &Path)]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env("OMP_NUM_THREADS", "1");
    for (option, path) in path {
        command.arg(option).arg(path);
    }
    // An input that stays open, as a daemon's does: a worker whose daemon has gone ends within a second, whatever it does.
    let (input, _open) = std::io::pipe().unwrap();
    command.stdin(input).output().expect("the worker starts")
}

#[test]
fn a_backend_that_the_device_lacks_is_refused_before_the_first_job() {
    let desk = Desk::new();
    let refused = |output: &Output| {
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(log.contains("FP5030"), "{log}");
        assert!(log.contains("available are torch, flash, math"), "{log}");
    };
    let state_dir = [("--state-dir", desk.path())];
    refused(&framepack_worker(
        &["serve", "--attention-backend", "cudnn"],
        &state_dir,
    ));
    let model = fixtures().join("parity/models/transformer");
    let bench = [
        "bench",
        "transformer",
        "--attention-backend",
        "memory-efficient",
    ];
    let random = PathBuf::from(format!("random:1:{}", model.display()));
    refused(&framepack_worker(&bench, &[("--model", &random)]));

    let unknown = framepack_worker(&["serve", "--attention-backend", "sage"], &state_dir);
    assert_eq!(unknown.status.code(), Some(2), "{unknown:?}");
    let usage = String::from_utf8_lossy(&unknown.stderr);
    assert!(usage.contains("memory-efficient, math"), "{usage}");
}
