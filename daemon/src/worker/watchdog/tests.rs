//! What a watchdog learns, and how long it waits.

use framepack_jobs::StepTimeline;

use super::*;

const DEADLINES: Deadlines = Deadlines {
    first_step_secs: 1800,
    step_factor: 5,
    min_step_secs: 60,
};

/// This process waits so long, and looks at the clock as it does.
fn wait(dog: &mut Watchdog, from: Instant, waited_secs: u64) {
    dog.look(from);
    for second in 1..=waited_secs {
        assert_eq!(dog.look(from + secs(second)), Duration::ZERO);
    }
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn steps_that_reuse_others_are_not_what_a_step_takes() {
    let start = Instant::now();
    let mut dog = Watchdog::new(DEADLINES);
    dog.begin(start);
    let (request, plan) = request(640);
    dog.started(&request, &plan, start);
    let mut now = start;
    let mut timeline = StepTimeline::default();
    // A computed step in ten takes 100 s, which may only be seen at the next one.
    for step in 0..40 {
        let is_computed = step % 10 == 0;
        if step % 10 == 1 {
            wait(&mut dog, now, 100);
            now += secs(100);
        }
        timeline.push(is_computed);
        let progress = Progress {
            step: step + 1,
            steps: 100,
            timeline,
            ..at(Phase::Sample, 0, 0)
        };
        dog.progressed(progress, now);
    }
    assert_eq!(dog.deadline(), Some(now + secs(500)));
}

fn at(phase: Phase, section: u32, step: u32) -> Progress {
    Progress {
        phase,
        section,
        sections: 3,
        step,
        steps: 25,
        timeline: StepTimeline::default(),
    }
}

fn request(bucket: u32) -> (RenderRequest, RenderPlan) {
    let json = r#"{"job":7,"name":"a","bundle":"/b","f1_bundle":null,"model":"original","image":"/i",
        "image_name":"/i","prompt":"","negative_prompt":"","seed":1,"length_secs":1.0,"steps":null,
        "guidance":{"distilled":10.0,"cfg":1.0,"rescale":0.0},"bucket":null,"latent_window":null,
        "crf":16,"output":"/o","work_dir":"/w"}"#;
    let plan = RenderPlan {
        width_px: bucket,
        height_px: bucket,
        sections: 3,
        steps: 25,
        latent_window: 9,
        frames: 109,
        secs: 3.6,
    };
    (serde_json::from_str(json).unwrap(), plan)
}

/// A watchdog that saw a section's `steps`, each of `step_secs`, at the returned moment.
fn watched(bucket: u32, steps: u32, step_secs: u64) -> (Watchdog, Instant) {
    let mut dog = Watchdog::new(DEADLINES);
    let mut now = Instant::now();
    dog.begin(now);
    let (request, plan) = request(bucket);
    dog.started(&request, &plan, now);
    for step in 0..=steps {
        dog.progressed(at(Phase::Sample, 0, step), now);
        if step < steps {
            wait(&mut dog, now, step_secs);
            now += secs(step_secs);
        }
    }
    (dog, now)
}

#[test]
fn limits() {
    for (step, expected_secs) in [
        (None, 1800),
        (Some(Duration::ZERO), 60),
        (Some(secs(1)), 60),
        (Some(secs(12)), 60),
        (Some(secs(13)), 65),
        (Some(secs(600)), 3000),
        (Some(Duration::MAX), Duration::MAX.as_secs()),
    ] {
        assert_eq!(limit(DEADLINES, step).as_secs(), expected_secs, "{step:?}");
    }
}

#[test]
fn a_typical_slow_step_is_not_the_one_with_bad_luck() {
    let of = |secs_of: &[u64]| typical(&secs_of.iter().map(|&s| secs(s)).collect());
    assert_eq!(of(&[]), None);
    assert_eq!(of(&[3]), Some(secs(3)));
    assert_eq!(of(&[1, 9]), Some(secs(9)));
    assert_eq!(of(&[1, 1, 1, 5, 1, 5, 1, 5, 1, 900]), Some(secs(5)));
}

#[test]
fn which_reports_are_a_step_apart() {
    use Phase::{Decode, Load, Sample};
    let table = [
        (at(Sample, 0, 1), at(Sample, 0, 2), true),
        (at(Sample, 1, 24), at(Sample, 1, 25), true),
        (at(Sample, 0, 0), at(Sample, 0, 1), false),
        (at(Sample, 0, 25), at(Sample, 1, 0), false),
        (at(Sample, 0, 1), at(Sample, 0, 3), false),
        (at(Sample, 0, 1), at(Sample, 1, 2), false),
        (at(Load, 0, 1), at(Sample, 0, 2), false),
        (at(Decode, 0, 1), at(Decode, 0, 2), false),
    ];
    for (before, now, expected) in table {
        assert_eq!(
            is_ordinary_step(before, now),
            expected,
            "{before:?} {now:?}"
        );
    }
}

#[test]
fn the_deadline_is_learned_for_steps_and_fixed_for_all_else() {
    let (mut dog, now) = watched(640, 3, 20);
    assert_eq!(dog.deadline(), Some(now + secs(100)), "5 × 20 s");
    assert_eq!(dog.cancel_grace(), secs(40));
    for (place, expected_secs) in [
        (at(Phase::Sample, 0, 25), 1800),
        (at(Phase::Decode, 0, 25), 1800),
        (at(Phase::Sample, 1, 0), 1800),
        (at(Phase::Sample, 1, 1), 100),
    ] {
        dog.progressed(place, now);
        assert_eq!(dog.deadline(), Some(now + secs(expected_secs)), "{place:?}");
    }
    // Another size has a history of its own, and the first one's is kept.
    for (bucket, expected_secs) in [(320, 1800), (640, 100)] {
        let (request, plan) = request(bucket);
        dog.begin(now);
        dog.started(&request, &plan, now);
        dog.progressed(at(Phase::Sample, 0, 1), now);
        assert_eq!(dog.deadline(), Some(now + secs(expected_secs)), "{bucket}");
    }
    dog.climbed(1, now);
    dog.progressed(at(Phase::Sample, 0, 1), now);
    assert_eq!(
        dog.deadline(),
        Some(now + secs(1800)),
        "less memory is slower"
    );
}

#[test]
fn silence_is_a_hang_unless_it_was_asked_for_or_ours() {
    let (mut dog, now) = watched(640, 3, 20);
    wait(&mut dog, now, 98);
    assert_eq!(dog.judge_silence(now + secs(99)), Silence::Patience);
    let expected =
        "no sign of life for 100 s in section 1 of 3, step 4 of 25; slow steps usually take 20.0 s";
    assert_eq!(
        dog.judge_silence(now + secs(100)),
        Silence::Hung(expected.to_owned())
    );

    // This process was stopped for an hour, or for a moment before the deadline: it could have heard nothing.
    let woken = now + secs(3600);
    assert_eq!(dog.look(woken), secs(3600 - 98 - 1));
    assert_eq!(dog.judge_silence(woken), Silence::Patience);
    assert_eq!(dog.deadline(), Some(woken + secs(1)));
    dog.progressed(at(Phase::Sample, 0, 3), woken);
    wait(&mut dog, woken, 97);
    let woken = woken + secs(101);
    assert_eq!(dog.look(woken), secs(3));
    assert_eq!(dog.judge_silence(woken), Silence::Patience);
    assert_eq!(dog.deadline(), Some(woken + secs(2)));
    dog.progressed(at(Phase::Sample, 0, 3), woken);

    dog.paused();
    assert_eq!(dog.deadline(), None);
    assert_eq!(dog.cancel_grace(), CANCEL_GRACE);
    assert_eq!(dog.judge_silence(woken + secs(101)), Silence::Patience);
    dog.resumed(woken);
    assert_eq!(dog.deadline(), Some(woken + secs(1800)));
}
