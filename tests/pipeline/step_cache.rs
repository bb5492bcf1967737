//! Step caches in whole jobs: what is reused is told, resumed runs are exact, and nothing gets from one job into another.

use std::{fs, process::Command};

use framepack_ipc::worker::{FromWorker, PauseAt, Phase, RenderOutput, RenderRequest, ToWorker};
use framepack_jobs::{JobId, Model, StepCacheUse, Value};
use serde_json::Value as Json;

use crate::{
    renders::brief,
    resume::fresh,
    worker::{Desk, Worker, fixtures},
};

/// A cache with what makes it reuse some steps of the tiny bundle, and not others.
const CACHES: [(&str, &[(&str, f64)]); 5] = [
    ("teacache", &[("cache.threshold", 0.2)]),
    ("magcache", &[("cache.threshold", 0.2)]),
    ("fbcache", &[("cache.threshold", 0.8)]),
    ("simcache", &[("cache.threshold", 0.99)]),
    ("kv", &[]),
];

fn cached(request: RenderRequest, (kind, numbers): (&str, &[(&str, f64)])) -> RenderRequest {
    let mut request = RenderRequest {
        steps: Some(12),
        ..brief(request)
    };
    request.settings.set("cache.kind", Value::from(kind));
    for (key, number) in numbers {
        request.settings.set(*key, Value::Number(*number));
    }
    request
}

fn cache_of(output: &RenderOutput) -> &StepCacheUse {
    output.step_cache.as_ref().unwrap()
}

#[test]
fn what_is_reused_is_told_step_by_step() {
    let desk = Desk::new();
    let mut worker = Worker::ready(desk.path());
    for cache in CACHES {
        let request = cached(desk.request(Model::F1, 2), cache);
        worker.send(&ToWorker::Render(Box::new(fresh(&desk, &request, cache.0))));
        let mut last_of_each = vec![];
        let output = loop {
            match worker.next() {
                FromWorker::Progress { progress, .. } if progress.step == 12 => {
                    last_of_each.push((progress.section, progress.timeline));
                }
                FromWorker::Done { output, .. } => break output,
                FromWorker::Failed { failure, .. } => panic!("{failure:?}"),
                _ => {}
            }
        };
        last_of_each.dedup();
        let told = cache_of(&output);
        assert_eq!(told.kind, cache.0);
        assert_eq!(told.computed + told.reused, 24, "{told:?}");
        assert!(told.computed > 3 && told.reused > 0, "{told:?}");
        assert_eq!(told.given_up, None);
        for (number, section) in told.sections.iter().enumerate() {
            assert_eq!(section.section as usize, number + 1);
            let progress = last_of_each.iter().find(|(at, _)| *at as usize == number);
            assert_eq!(progress.unwrap().1, section.positive);
            // A section begins anew, and kv aside it ends with a computed step, too.
            let timeline = section.positive.to_string();
            assert!(timeline.starts_with('C'), "{timeline}");
            assert!(
                timeline.ends_with('C') || cache.0 == "magcache",
                "{timeline}"
            );
        }
        let bytes = output.memory_plan.unwrap().transformer.step_cache_bytes;
        assert!(bytes > 0, "{}", cache.0);
    }
}

#[test]
fn off_and_a_cache_that_reuses_nothing_change_no_bit() {
    let desk = Desk::new();
    let mut worker = Worker::ready(desk.path());
    let request = cached(
        desk.request(Model::Original, 1),
        ("off", &[("cache.threshold", 0.5)]),
    );
    let mut plain = request.clone();
    plain.settings = framepack_jobs::Settings::default();
    let undisturbed = worker.render(&fresh(&desk, &plain, "plain"));
    assert_eq!(undisturbed.step_cache, None);
    let off = worker.render(&fresh(&desk, &request, "off"));
    assert_eq!(
        (off.latents_sha256, off.step_cache),
        (undisturbed.latents_sha256.clone(), None)
    );
    for cache in [
        ("teacache", &[("cache.threshold", 0.)][..]),
        ("fbcache", &[("cache.retention", 1.)]),
        ("simcache", &[("cache.threshold", 1.)]),
        ("kv", &[("cache.budget_gb", 0.)]),
    ] {
        let request = cached(desk.request(Model::Original, 1), cache);
        let output = worker.render(&fresh(&desk, &request, cache.0));
        assert_eq!(
            output.latents_sha256, undisturbed.latents_sha256,
            "{}",
            cache.0
        );
    }
}

/// The steps that reuse something need what an earlier one computed, which is not on the disk.
#[test]
fn a_cached_job_that_is_suspended_between_two_steps_goes_on_exactly() {
    let desk = Desk::new();
    let mut worker = Worker::ready(desk.path());
    for (number, cache) in CACHES.into_iter().enumerate() {
        let mut request = cached(desk.request(Model::Original, 1), cache);
        if cache.0 == "teacache" {
            request.guidance.cfg = 2.0;
        }
        let undisturbed = worker.render(&fresh(&desk, &request, &format!("{}-whole", cache.0)));
        let again = fresh(&desk, &request, cache.0);
        worker.send(&ToWorker::Render(Box::new(again.clone())));
        // At another step for each cache.
        let at = 3 + number as u32;
        worker.wait_for(|message| {
            matches!(message, FromWorker::Progress { progress, .. }
                if progress.phase == Phase::Sample && progress.step == at)
        });
        worker.send(&ToWorker::Pause {
            job: JobId(1),
            at: PauseAt::StepEnd,
        });
        worker.wait_for(|message| {
            matches!(
                message,
                FromWorker::Suspended { .. } | FromWorker::Done { .. }
            )
        });
        worker.hang_up();
        worker = Worker::ready(desk.path());
        let output = worker.render(&again);
        assert_eq!(
            output.latents_sha256, undisturbed.latents_sha256,
            "{}",
            cache.0
        );
        assert_eq!(cache_of(&output), cache_of(&undisturbed), "{}", cache.0);
    }
}

#[test]
fn nothing_gets_from_one_job_into_another() {
    let desk = Desk::new();
    let mut warm = Worker::ready(desk.path());
    for cache in CACHES {
        let first = cached(desk.request(Model::Original, 1), cache);
        let cold = warm.render(&fresh(&desk, &first, &format!("{}-1", cache.0)));
        // Another size, prompt length and number of branches in between.
        let mut other = first.clone();
        other.latent_window = Some(2);
        other.prompt = "a dog that runs over a meadow in the rain".into();
        other.guidance.cfg = 3.0;
        warm.render(&fresh(&desk, &other, &format!("{}-2", cache.0)));
        let again = warm.render(&fresh(&desk, &first, &format!("{}-3", cache.0)));
        assert_eq!(cold.latents_sha256, again.latents_sha256, "{}", cache.0);
        assert_eq!(cache_of(&cold), cache_of(&again));
    }
}

#[test]
fn the_bundle_says_which_cache_jobs_have_that_name_none() {
    let desk = Desk::new();
    let bundle = desk.path().join("bundle");
    let copied = Command::new("cp")
        .arg("-r")
        .args([fixtures().join("bundle"), bundle.clone()])
        .status()
        .unwrap();
    assert!(copied.success());
    let defaults =
        r#"{"default_bucket": 128, "steps": 12, "renders_f1": true, "cache": "magcache"}"#;
    fs::write(bundle.join("framepack.json"), defaults).unwrap();
    let mut request = brief(desk.request(Model::Original, 1));
    request.bundle = bundle;
    request.steps = None;
    let mut worker = Worker::ready(desk.path());
    let output = worker.render(&fresh(&desk, &request, "default"));
    assert_eq!(cache_of(&output).kind, "magcache");
    request.settings.set("cache.kind", Value::from("off"));
    let output = worker.render(&fresh(&desk, &request, "off"));
    assert_eq!(output.step_cache, None);
}

#[test]
fn simcache_leaves_single_blocks_out() {
    let desk = Desk::new();
    let parity = fixtures().join("parity");
    let trace = desk.path().join("trace.json");
    let output = Command::new(env!("CARGO_BIN_EXE_framepack-worker"))
        .args(["forward", "sample", "--steps", "12", "--cache", "simcache"])
        .args(["--cache-threshold", "0.99", "--cache-max-skip", "3"])
        .arg("--model")
        .arg(parity.join("models/transformer-framepack"))
        .arg("--inputs")
        .arg(parity.join("sample/1-steps.inputs.safetensors"))
        .arg("--output")
        .arg(desk.path().join("latents.safetensors"))
        .arg("--cache-trace")
        .arg(&trace)
        .env("OMP_NUM_THREADS", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let trace: Json = serde_json::from_slice(&fs::read(trace).unwrap()).unwrap();
    let reused = trace["reused_blocks"].as_array().unwrap();
    let reused: Vec<u64> = reused.iter().filter_map(Json::as_u64).collect();
    let all = *reused.iter().max().unwrap();
    assert_eq!(reused.len(), 12);
    assert!(
        reused.iter().any(|some| 0 < *some && *some < all),
        "{reused:?}"
    );
    let computed = trace["computed"].as_array().unwrap();
    for (is_computed, blocks) in computed.iter().zip(reused) {
        assert_eq!(is_computed.as_bool().unwrap(), blocks == 0);
    }
}
