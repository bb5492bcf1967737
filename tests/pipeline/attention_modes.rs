//! What a job asks of its attention, and kernels that are switched off: on the CPU every mode is torch's own kernel.

use std::{fs, path::Path, process::Output};

use framepack_ipc::worker::{ChosenBy, RenderOutput, RenderRequest};
use framepack_jobs::{Model, Settings, Value as Setting};
use serde_json::Value;

use crate::{
    attention::{MATH, choice_file, choose, framepack_worker, rendered, request, used},
    renders::brief,
    resume::{fresh, interrupted},
    worker::{Desk, Worker, fixtures},
};

/// The mode in the report, and why it has no effect.
fn asked(output: &RenderOutput) -> (&str, Option<&str>) {
    let attention = output.attention.as_ref().unwrap();
    (
        attention.mode.as_deref().unwrap(),
        attention.reason.as_deref(),
    )
}

/// The same job with this mode.
pub(crate) fn in_mode(request: &RenderRequest, mode: impl Into<Setting>) -> RenderRequest {
    let mut settings = Settings::default();
    settings.set("attention", mode.into());
    RenderRequest {
        settings,
        ..request.clone()
    }
}

/// Runs `forward` on one component of the tiny bundle and returns the bytes that it writes, or how it ended.
fn forward(
    desk: &Desk,
    component: &str,
    inputs: &str,
    arguments: &[&str],
) -> Result<Vec<u8>, Output> {
    let parity = fixtures().join("parity");
    let output = desk
        .path()
        .join(format!("{component}{}", arguments.concat()));
    let paths = [
        ("--model", parity.join("models/transformer-framepack")),
        ("--inputs", parity.join(inputs)),
        ("--output", output.clone()),
    ];
    let paths = paths
        .each_ref()
        .map(|(option, path)| (*option, path.as_path()));
    let done = framepack_worker(&[&["forward", component], arguments].concat(), &paths);
    if done.status.success() {
        Ok(fs::read(output).unwrap())
    } else {
        Err(done)
    }
}

const FORWARDS: [(&str, &str); 2] = [
    ("transformer", "transformer/one-frame.inputs.safetensors"),
    ("sample", "sample/1-steps.inputs.safetensors"),
];

#[test]
fn a_forward_by_hand_uses_the_backend_and_the_mode() {
    let desk = Desk::new();
    for (component, inputs) in FORWARDS {
        let forward = |arguments: &[&str]| forward(&desk, component, inputs, arguments).unwrap();
        let torchs = forward(&["--attention-backend", "torch"]);
        assert_eq!(forward(&[]), torchs, "{component}");
        assert_ne!(forward(&MATH), torchs, "{component}");
        for mode in ["auto", "off", "standard", "aggressive"] {
            assert_eq!(
                forward(&["--attention", mode]),
                torchs,
                "{component} {mode}"
            );
        }
    }
}

#[test]
fn a_wrong_mode_or_two_answers_are_refused_with_what_there_is() {
    let desk = Desk::new();
    let state_dir = [("--state-dir", desk.path())];
    let usage = |arguments: &[&str], paths: &[(&str, &Path)]| {
        let refused = framepack_worker(arguments, paths);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
        String::from_utf8(refused.stderr).unwrap()
    };
    let range = "expected one of auto, off, standard, aggressive (did you mean `aggressive`?)";
    let both = ["serve", "--attention", "off", "--attention-backend", "math"];
    let message = usage(&both, &state_dir);
    assert!(
        message.contains("cannot be used with '--attention-backend"),
        "{message}"
    );
    let message = usage(&["serve", "--attention", "agressive"], &state_dir);
    assert!(message.contains(range), "{message}");
    let message = usage(&["serve", "--flash-sdp", "of"], &state_dir);
    assert!(
        message.contains("on, off") && message.contains("'off'"),
        "{message}"
    );
    let (component, inputs) = FORWARDS[0];
    let refused = forward(&desk, component, inputs, &["--attention", "agressive"]).unwrap_err();
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let message = String::from_utf8_lossy(&refused.stderr);
    assert!(message.contains(range), "{message}");
    let bench = [
        "bench",
        "transformer",
        "--model",
        "random:1",
        "--attention",
        "of",
    ];
    let message = usage(&bench, &[]);
    assert!(message.contains("did you mean `off`?"), "{message}");
}

/// The mode has no effect on a processor, whatever is kept for it.
#[test]
fn every_mode_is_torchs_own_kernel_on_a_processor_and_the_report_says_so() {
    let desk = Desk::new();
    let request = brief(desk.request(Model::Original, 1));
    let mut worker = Worker::ready(desk.path());
    let torchs = worker.render(&request);
    assert_eq!(asked(&torchs), ("auto", None));
    let measured = serde_json::json!({
        "tokens": 128,
        "candidates": [{"backend": "cudnn", "micros": 1}, {"backend": "flash", "micros": 2}],
    });
    let lacking = |file: &mut Value| {
        let entries = file["attention"].as_array_mut().unwrap();
        let mut entry = entries[0].clone();
        entry["backend"] = "cudnn".into();
        entry["measured"] = measured.clone();
        entries.push(entry);
    };
    // What is kept for the device: torch's beside a measured backend that it lacks; math.
    for (kept, modes) in [
        ("measured", &["off", "standard", "aggressive"][..]),
        ("math", &["off"]),
    ] {
        let mut file: Value =
            serde_json::from_slice(&fs::read(choice_file(&desk)).unwrap()).unwrap();
        match kept {
            "measured" => lacking(&mut file),
            backend => file["attention"][0]["backend"] = backend.into(),
        }
        let text = file.to_string();
        fs::write(choice_file(&desk), &text).unwrap();
        for mode in modes {
            let output = worker.render(&in_mode(&request, *mode));
            assert_eq!(used(&output), ("torch", &ChosenBy::Setting), "{mode}");
            let reason = "on a processor every attention mode is torch's own kernel";
            assert_eq!(asked(&output), (*mode, Some(reason)));
            assert_eq!(output.inactive["attention"], reason);
            assert_eq!(output.latents_sha256, torchs.latents_sha256, "{mode}");
        }
        let auto = worker.render(&in_mode(&request, "auto"));
        let backend = if kept == "math" { "math" } else { "torch" };
        assert_eq!(used(&auto), (backend, &ChosenBy::Device), "{kept}");
        assert_eq!(
            auto.latents_sha256 == torchs.latents_sha256,
            backend == "torch"
        );
        let after = fs::read_to_string(choice_file(&desk)).unwrap();
        assert_eq!(after, text, "{kept}");
    }
}

#[test]
fn a_word_that_is_no_mode_fails_the_job_with_what_there_is() {
    let desk = Desk::new();
    let request = brief(desk.request(Model::Original, 1));
    let mut worker = Worker::ready(desk.path());
    let words = "expected one of auto, off, standard, aggressive";
    for (mode, expected) in [
        (Setting::from("standart"), "did you mean `standard`?"),
        (
            Setting::from("xformers"),
            "\"xformers\" is not an attention mode",
        ),
        (Setting::from(""), "is not an attention mode"),
        (Setting::Integer(1), "\"1\" is not an attention mode"),
    ] {
        let failure = worker.fail(&in_mode(&request, mode));
        assert_eq!(failure.code, "FP2105", "{failure:?}");
        let message = &failure.message;
        assert!(
            message.starts_with("attention: ") && message.contains(words),
            "{message}"
        );
        assert!(message.contains(expected), "{message}");
    }
    worker.render(&request);
}

#[test]
fn the_workers_backend_goes_before_the_jobs_mode_and_that_before_the_workers_mode() {
    let desk = Desk::new();
    let request = brief(desk.request(Model::Original, 1));
    let output = rendered(&desk, &MATH, &in_mode(&request, "standard"));
    assert_eq!(used(&output), ("math", &ChosenBy::Flag));
    let reason = "the worker's --attention-backend math goes before the job's mode";
    assert_eq!(asked(&output), ("standard", Some(reason)));

    let mut worker = Worker::ready_with(desk.path(), &["--attention", "standard"]);
    let output = worker.render(&request);
    assert_eq!(asked(&output).0, "standard");
    let output = worker.render(&in_mode(&request, "off"));
    assert_eq!(
        (asked(&output).0, used(&output).1),
        ("off", &ChosenBy::Setting)
    );
}

#[test]
fn a_job_goes_on_in_its_mode_and_another_mode_counts_at_once() {
    let desk = Desk::new();
    let request = request(&desk);
    let torchs = rendered(&desk, &[], &request);
    choose(&desk, "math");
    // (the mode that it began with, the mode that it goes on with, what computes it then)
    for (begun, now, backend) in [
        ("standard", "standard", "torch"),
        ("standard", "off", "torch"),
        ("off", "auto", "math"),
    ] {
        let request = fresh(&desk, &request, &format!("{begun}-{now}"));
        let worker = Worker::ready(desk.path());
        assert!(interrupted(worker, &in_mode(&request, begun), 1));
        let output = Worker::ready(desk.path()).go_on(&in_mode(&request, now));
        let chosen_by = match now {
            "auto" => ChosenBy::Device,
            mode if mode == begun => ChosenBy::Checkpoint,
            _ => ChosenBy::Setting,
        };
        assert_eq!(used(&output), (backend, &chosen_by), "{begun} {now}");
        let (mode, reason) = asked(&output);
        assert_eq!(
            (mode, reason.is_some()),
            (now, now != "auto"),
            "{begun} {now}"
        );
        let is_same = (begun == "auto") == (now == "auto");
        let resumed = output.resumed.clone().unwrap();
        assert_eq!(resumed.is_exact, is_same, "{resumed:?}");
        let named = format!("attention was {begun} in the earlier run and is {now}");
        let is_named = output
            .warnings
            .iter()
            .any(|warning| warning.contains(&named));
        assert_eq!(is_named, !is_same, "{:?}", output.warnings);
        assert_eq!(output.latents_sha256 == torchs.latents_sha256, is_same);
    }
}

#[test]
fn a_kernel_that_is_switched_off_is_used_by_nothing() {
    let desk = Desk::new();
    for (component, inputs) in FORWARDS {
        let forward = |arguments: &[&str]| forward(&desk, component, inputs, arguments);
        let torchs = forward(&[]).unwrap();
        assert_eq!(forward(&["--flash-sdp", "on"]).unwrap(), torchs);
        assert_eq!(forward(&["--mem-efficient-sdp", "off"]).unwrap(), torchs);
        let without = forward(&["--flash-sdp", "off"]).unwrap();
        assert_ne!(
            without, torchs,
            "{component}: torch's kernel for the CPU is this one"
        );
        assert_eq!(
            without,
            forward(&[&MATH[..], &["--flash-sdp", "off"]].concat()).unwrap()
        );
        let refused = forward(&["--attention-backend", "flash", "--flash-sdp", "off"]).unwrap_err();
        let log = String::from_utf8_lossy(&refused.stderr);
        let reason = "attention backend flash was switched off by --flash-sdp off: available are torch, math";
        assert!(log.contains(reason) && log.contains("FP5030"), "{log}");
    }
}

#[test]
fn a_job_without_torchs_kernel_says_so_and_goes_on_as_another() {
    let desk = Desk::new();
    let off = ["--flash-sdp", "off"];
    let request = request(&desk);
    let torchs = rendered(&desk, &[], &request);
    let output = rendered(&desk, &off, &request);
    assert_eq!(used(&output), ("torch", &ChosenBy::Device));
    let reason = "with `worker.flash_sdp: off` torch computes by math here";
    assert_eq!(asked(&output), ("auto", Some(reason)));
    assert_ne!(output.latents_sha256, torchs.latents_sha256);
    let standard = rendered(&desk, &off, &in_mode(&request, "standard"));
    assert_eq!(standard.latents_sha256, output.latents_sha256);
    let both = format!("on a processor every attention mode is torch's own kernel; {reason}");
    assert_eq!(asked(&standard), ("standard", Some(both.as_str())));

    let begun = fresh(&desk, &request, "begun");
    assert!(interrupted(Worker::ready(desk.path()), &begun, 1));
    let resumed = Worker::ready_with(desk.path(), &off)
        .go_on(&begun)
        .resumed
        .unwrap();
    assert!(!resumed.is_exact);
    let reason = resumed.reason.unwrap();
    assert!(
        reason.contains("switched-off kernel was none and is flash"),
        "{reason}"
    );
}
