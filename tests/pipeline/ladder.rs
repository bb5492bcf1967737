//! Memory runs out in the middle of a job: torch's own failure, at a place of the test's choice.

use std::ops::ControlFlow;

use framepack_engine::{
    Error, ModelOptions,
    pipeline::Pipeline,
    progress::{Stop, Update},
};
use framepack_ipc::worker::{Phase, Progress, RenderOutput, RenderRequest, RungTaken};
use framepack_jobs::{Class, Model, Value};
use tch::{Device, Kind, Tensor};

use crate::{renders::brief, resume::fresh, worker::Desk};

/// Renders in this process; where `fails` says so, an allocation fails, so many times. With what the listener heard.
fn render(
    request: &RenderRequest,
    (mut times, fails): (u32, impl Fn(Progress) -> bool),
) -> (Result<RenderOutput, Error>, Vec<RungTaken>) {
    let mut pipeline = Pipeline::new(Device::Cpu, ModelOptions::default());
    let mut heard = vec![];
    let outcome = pipeline.render(request, &mut |update| {
        match update {
            Update::Progress(progress) if times > 0 && fails(progress) => {
                times -= 1;
                let _too_much = Tensor::empty([1 << 50], (Kind::Float, Device::Cpu));
            }
            Update::Rung(taken) => heard.push(taken.clone()),
            _ => {}
        }
        ControlFlow::Continue(())
    });
    (outcome, heard)
}

fn numbers(rungs: &[RungTaken]) -> Vec<u32> {
    rungs.iter().map(|taken| taken.rung).collect()
}

/// One test for all cases, since libtorch has one noise generator for all threads.
#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one test for all, for the generator's sake"
)]
fn a_job_that_runs_out_of_memory_goes_on_with_less() {
    tch::set_num_threads(1); // several would wait for each other on a busy machine
    let desk = Desk::new();
    let request = brief(desk.request(Model::Original, 2));
    let fresh = |name: &str| {
        let work_dir = desk.path().join(name);
        std::fs::create_dir(&work_dir).unwrap();
        RenderRequest {
            work_dir,
            ..request.clone()
        }
    };
    let (undisturbed, rungs) = render(&fresh("undisturbed"), (0, |_| false));
    let undisturbed = undisturbed.unwrap();
    assert!(rungs.is_empty() && undisturbed.rungs.is_empty());
    assert!(undisturbed.stream_sha256.is_some());

    let at = |phase, section, step| {
        move |now: Progress| (now.phase, now.section, now.step) == (phase, section, step)
    };
    for (name, expected, phase, place) in [
        (
            "a step of the second section",
            &[4][..],
            "sampling section 2",
            at(Phase::Sample, 1, 1),
        ),
        (
            "the first step of the first",
            &[4, 5],
            "sampling section 1",
            at(Phase::Sample, 0, 0),
        ),
        (
            "decoding the first",
            &[1],
            "decoding section 1",
            at(Phase::Decode, 0, 2),
        ),
        (
            "decoding the first, which takes smaller chunks",
            &[1, 2],
            "decoding section 1",
            at(Phase::Decode, 0, 2),
        ),
        (
            "decoding the first, which takes the smallest chunks",
            &[1, 2, 3],
            "decoding section 1",
            at(Phase::Decode, 0, 2),
        ),
        (
            "decoding the first, which takes less of the transformer",
            &[1, 2, 3, 4],
            "decoding section 1",
            at(Phase::Decode, 0, 2),
        ),
    ] {
        let times = expected.len() as u32;
        let (outcome, heard) = render(&fresh(name), (times, place));
        let output = outcome.unwrap();
        assert_eq!(numbers(&heard), expected, "{name}");
        assert_eq!(output.rungs, heard, "{name}");
        assert!(
            heard[0].reason.contains(phase),
            "{name}: {}",
            heard[0].reason
        );
        assert_eq!(output.latents_sha256, undisturbed.latents_sha256, "{name}");
        // The files differ in the time at which they were written, and frames of smaller chunks in their values.
        let has_smaller_chunks = expected.contains(&2);
        assert_eq!(
            output.stream_sha256 != undisturbed.stream_sha256,
            has_smaller_chunks,
            "{name}"
        );
        assert_eq!(output.plan, undisturbed.plan, "{name}");
        let says = |warning: &&String| warning.contains("in chunks of");
        let warnings: Vec<_> = output.warnings.iter().filter(says).collect();
        let size = if expected.contains(&3) {
            "1 latent frame"
        } else {
            "2 latent frames"
        };
        let warned = format!(
            "frames were decoded in chunks of {size} because memory ran out: the chunks fade into each other"
        );
        assert_eq!(
            warnings,
            vec![&warned; usize::from(has_smaller_chunks)],
            "{name}"
        );
    }

    std::fs::remove_file(&undisturbed.video).unwrap();
    let endless = fresh("the end of the ladder");
    let (outcome, heard) = render(&endless, (99, at(Phase::Decode, 0, 2)));
    let failure = outcome.unwrap_err().failure();
    assert_eq!(
        (failure.class, failure.code.as_str()),
        (Class::Oom, "FP5016")
    );
    assert!(
        failure.message.starts_with("out of host memory while decoding section 1: ")
            && failure.message.contains("given up before: vae tiles, vae chunk smaller, vae chunk 1, preserve 2 GB more, half of the resident blocks, every block streamed"),
        "{}",
        failure.message
    );
    assert_eq!(numbers(&heard), [1, 2, 3, 4, 5, 6]);
    assert!(!endless.output.exists());

    // What was made is not lost, and the next run may begin where this one ended.
    let retried = RenderRequest { rung: 6, ..endless };
    let output = render(&retried, (0, |_| false)).0.unwrap();
    assert_eq!(output.latents_sha256, undisturbed.latents_sha256);
    assert_eq!(numbers(&output.rungs), [6]);
    let resumed = output.resumed.unwrap();
    assert_eq!((resumed.sections_done, resumed.is_exact), (1, false));
    assert!(resumed.reason.unwrap().contains("rung was 0 and is 6"));

    a_step_cache_is_given_up_first(&desk);
}

/// Without it the steps that are left are those of a job without a cache.
fn a_step_cache_is_given_up_first(desk: &Desk) {
    let mut request = RenderRequest {
        steps: Some(6),
        ..brief(desk.request(Model::F1, 2))
    };
    let plain = render(&fresh(desk, &request, "plain"), (0, |_| false));
    let plain = plain.0.unwrap();
    request.settings.set("cache.kind", Value::from("kv"));
    for (section, cached_sections) in [(0, 0), (1, 1)] {
        let name = format!("cached-{section}");
        let fails =
            |now: Progress| (now.phase, now.section, now.step) == (Phase::Sample, section, 2);
        let (outcome, heard) = render(&fresh(desk, &request, &name), (1, fails));
        let output = outcome.unwrap();
        assert_eq!(numbers(&heard), [0], "{name}");
        let cache = output.step_cache.unwrap();
        assert_eq!(cache.sections.len(), cached_sections, "{name}: {cache:?}");
        assert!(
            cache
                .given_up
                .unwrap()
                .starts_with("given up for want of memory")
        );
        let warning = "kv every 2 steps: given up for want of memory";
        assert!(
            output.warnings.iter().any(|said| said.starts_with(warning)),
            "{name}"
        );
        assert_eq!(
            output.latents_sha256 == plain.latents_sha256,
            cached_sections == 0,
            "{name}"
        );
    }
    for (section, reason) in [
        (0, None),
        (
            1,
            Some("since section 1: step cache was kv every 2 steps and is off"),
        ),
    ] {
        let again = fresh(desk, &request, &format!("resumed-{section}"));
        suspended_without_cache(&again, section);
        let output = render(&again, (0, |_| false)).0.unwrap();
        let resumed = output.resumed.unwrap();
        assert_eq!(
            (resumed.sections_done, resumed.reason.as_deref()),
            (section + 1, reason)
        );
        assert_eq!(resumed.is_exact, section == 0);
        assert_eq!(output.latents_sha256 == plain.latents_sha256, section == 0);
        assert_eq!(output.step_cache.unwrap().sections.len() as u32, section);
    }
}

/// Renders until the section with this number, from 0, is on the disk. In its second step memory runs out.
fn suspended_without_cache(request: &RenderRequest, section: u32) {
    let mut pipeline = Pipeline::new(Device::Cpu, ModelOptions::default());
    let mut times = 1;
    let outcome = pipeline.render(request, &mut |update| match update {
        Update::Progress(now)
            if times > 0 && (now.phase, now.section, now.step) == (Phase::Sample, section, 2) =>
        {
            times -= 1;
            let _too_much = Tensor::empty([1 << 50], (Kind::Float, Device::Cpu));
            ControlFlow::Continue(())
        }
        Update::Checkpoint(sections) if sections == section + 1 => {
            ControlFlow::Break(Stop::Suspend)
        }
        _ => ControlFlow::Continue(()),
    });
    assert!(matches!(outcome, Err(Error::Suspended)), "{outcome:?}");
}
