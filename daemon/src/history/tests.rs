//! What made-up farms make their daemon expect.

use framepack_ipc::{
    estimate::{Basis, Estimate, Prediction},
    worker::Temperature,
};
use framepack_jobs::{
    BundleDefaults, DeviceIdle, Guidance, Job, JobId, JobState, Model, Phase, PhaseTime,
    RenderOutput, RenderPlan, Resumed, Runs, Schedule, Settings, Source, StepCacheUse, Timestamp,
    ValidSpec, Value, sections_in, settings::Origins,
};

use super::{History, Kind, Question};
use crate::record::{Began, Kept, Private, Record};

const BEGIN: &str = "2026-11-24T12:00:00.000000Z";
const CARD: &str = "a card";

/// A job as it was done.
#[derive(Debug, Clone)]
struct Done {
    spec: ValidSpec,
    device: &'static str,
    temperature: Temperature,
    /// Seconds of a step that computes everything.
    step_secs: f64,
    /// Evaluations that computed and reused, if there is a step cache.
    evaluations: Option<[u32; 2]>,
    /// Sections that were there, what else was kept, and whether that was noted.
    resumed: Option<(u32, Kept, bool)>,
    paused_secs: f64,
}

/// 5 s of 4 sections of 25 steps at 640 pixels, 1 s a step, cold: 20 + 100 + 4 × 3 + 6 s.
fn done() -> Done {
    Done {
        spec: spec(25, 640, 5.0),
        device: CARD,
        temperature: Temperature::Cold,
        step_secs: 1.0,
        evaluations: None,
        resumed: None,
        paused_secs: 0.0,
    }
}

fn spec(steps: u32, bucket: u32, secs: f64) -> ValidSpec {
    let mut spec = ValidSpec::default();
    spec.steps = Some(steps);
    spec.size.bucket = Some(bucket);
    spec.length.secs = secs;
    spec
}

fn with(mut spec: ValidSpec, key: &str, value: &str) -> ValidSpec {
    spec.settings.set(key, Value::from(value));
    spec
}

impl Done {
    fn record(&self) -> Record {
        let (steps, window) = (self.spec.steps.unwrap(), 9);
        let bucket = self.spec.size.bucket.unwrap();
        let plan = RenderPlan {
            width_px: bucket,
            height_px: bucket,
            sections: sections_in(self.spec.length.secs, window),
            steps,
            latent_window: window,
            ..RenderPlan::default()
        };
        let (sections_done, kept, is_noted) = self.resumed.unwrap_or_default();
        let sections = plan.sections - sections_done;
        let [computed, reused] = self.evaluations.unwrap_or([1, 0]).map(f64::from);
        let cost = (computed + 0.1 * reused) / (computed + reused);
        let made = f64::from(sections * steps - kept.steps) * cost;
        let scale = f64::from(bucket * bucket) / (640.0 * 640.0);
        let loading = match self.temperature {
            Temperature::Hot => 1.0,
            Temperature::Warm => 5.0,
            Temperature::Cold => 18.0,
        };
        let phases = [
            (Phase::Load, loading),
            (Phase::Text, 2.0),
            (Phase::Sample, made * self.step_secs),
            (Phase::Decode, f64::from(sections) * 3.0 * scale),
            (Phase::Encode, f64::from(plan.sections) * 1.5 * scale),
        ];
        let phases = phases.map(|(phase, secs)| PhaseTime { phase, secs });
        let secs: f64 = phases.iter().map(|time| time.secs).sum();
        let started_at: Timestamp = BEGIN.parse().unwrap();
        let secs = std::time::Duration::from_secs_f64(secs + self.paused_secs);
        let result = RenderOutput {
            plan,
            phases: phases.to_vec(),
            device: self.device.to_owned(),
            resumed: self.resumed.map(|_| Resumed {
                sections_done,
                is_exact: true,
                reason: None,
            }),
            step_cache: self.evaluations.map(|[computed, reused]| StepCacheUse {
                kind: "teacache".to_owned(),
                rule: "teacache at 0.15".to_owned(),
                computed,
                reused,
                sections: Vec::new(),
                given_up: None,
            }),
            device_idle: None::<DeviceIdle>,
            ..RenderOutput::default()
        };
        let state = JobState::Done {
            started_at,
            finished_at: started_at.plus(secs),
            result: Box::new(result),
        };
        let began = Began {
            temperature: self.temperature,
            kept,
        };
        let private = Private {
            began: (self.resumed.is_none() || is_noted).then_some(began),
            ..Private::default()
        };
        Record {
            job: job(self.spec.clone(), state),
            private,
        }
    }
}

fn job(spec: ValidSpec, state: JobState) -> Job {
    Job {
        id: JobId(1),
        name: "cat".to_owned(),
        key: String::new(),
        state,
        submitted_at: BEGIN.parse().unwrap(),
        source: Source::Submit { folder: "/".into() },
        spec,
        farm_defaults: Settings::default(),
        origins: Origins::new(),
        schedule: Schedule::default(),
        seed: 1,
        image: "/a.png".into(),
        output: "/v.mp4".into(),
        runs: Runs::default(),
        warnings: Vec::new(),
    }
}

fn ask(jobs: &[Done], spec: ValidSpec, device: &str, temperature: Temperature) -> Prediction {
    let records: Vec<Record> = jobs.iter().map(Done::record).collect();
    let history = History::of(records.iter(), BundleDefaults::default());
    let kind = Kind::of(&job(spec, JobState::Queued), &BundleDefaults::default());
    history.predict(&Question {
        kind: &kind,
        device,
        temperature,
        work: None,
    })
}

/// What is expected of a job on the same card, cold.
#[track_caller]
fn expected(jobs: &[Done], spec: ValidSpec) -> Estimate {
    match ask(jobs, spec, CARD, Temperature::Cold) {
        Prediction::Known(estimate) => estimate,
        Prediction::Unknown { unknown } => panic!("{unknown}"),
    }
}

#[track_caller]
fn assert_within(secs: f64, estimate: Estimate) {
    let range = estimate.low_secs..=estimate.high_secs;
    assert!(range.contains(&secs), "{secs} is not in {estimate:?}");
}

#[track_caller]
fn assert_near(secs: f64, estimate: Estimate, share: f64) {
    assert_within(secs, estimate);
    assert!(
        (estimate.secs / secs - 1.0).abs() <= share,
        "{secs} is far from {estimate:?}"
    );
}

fn width(estimate: Estimate) -> f64 {
    (estimate.high_secs - estimate.low_secs) / estimate.secs
}

#[test]
fn without_a_job_of_the_model_nothing_is_known() {
    let unknown = Prediction::unknown("no job of this model has run here yet");
    assert_eq!(
        ask(&[], spec(25, 640, 5.0), CARD, Temperature::Cold),
        unknown
    );
    let mut other = spec(25, 640, 5.0);
    other.model = Model::F1;
    assert_eq!(ask(&[done()], other, CARD, Temperature::Cold), unknown);
}

#[test]
fn one_job_tells_roughly_and_several_tell_more() {
    let one = expected(&[done()], spec(25, 640, 5.0));
    assert_eq!(one.basis, Basis::Measured { jobs: 1 });
    assert_near(138.0, one, 0.001);
    let several = expected(&vec![done(); 5], spec(25, 640, 5.0));
    assert_eq!(several.basis, Basis::Measured { jobs: 5 });
    assert_near(138.0, several, 0.001);
    assert!(width(several) < 0.6 * width(one), "{one:?} {several:?}");
}

#[test]
fn a_job_that_took_ten_times_as_long_does_not_count() {
    let mut jobs = vec![done(); 4];
    jobs[1].step_secs = 10.0;
    let estimate = expected(&jobs, spec(25, 640, 5.0));
    assert_near(138.0, estimate, 0.001);
    assert!(estimate.high_secs < 200.0, "{estimate:?}");
    // Jobs that differ tell so.
    let step_secs = [0.7, 1.0, 1.4, 0.9, 1.2];
    let jobs = step_secs.map(|step_secs| Done {
        step_secs,
        ..done()
    });
    let estimate = expected(&jobs, spec(25, 640, 5.0));
    for step_secs in step_secs {
        assert_within(38.0 + 100.0 * step_secs, estimate);
    }
}

#[test]
fn a_farm_that_has_become_slower_is_believed() {
    let slow = Done {
        step_secs: 2.0,
        ..done()
    };
    let jobs = [vec![done(); 20], vec![slow; 8]].concat();
    assert_near(238.0, expected(&jobs, spec(25, 640, 5.0)), 0.001);
}

#[test]
fn a_pause_is_no_work() {
    let paused = Done {
        paused_secs: 3600.0,
        ..done()
    };
    assert_near(138.0, expected(&[paused], spec(25, 640, 5.0)), 0.001);
}

#[test]
fn steps_and_lengths_are_scaled() {
    let jobs = vec![done(); 3];
    let steps = expected(&jobs, spec(50, 640, 5.0));
    assert_eq!(steps.basis, Basis::Similar { jobs: 3 });
    assert_near(238.0, steps, 0.01);
    // 10 s are 8 sections.
    assert_near(256.0, expected(&jobs, spec(25, 640, 10.0)), 0.01);
}

#[test]
fn sizes_are_scaled_between_what_is_possible_until_two_were_measured() {
    // 384 pixels have 0.36 of the pixels and 0.4 of the tokens: a step takes 0.16 to 0.4 s.
    let small = spec(25, 384, 5.0);
    let scaled = expected(&vec![done(); 3], small.clone());
    for step_secs in [0.18, 0.39] {
        assert_within(20.0 + 100.0 * step_secs + 18.0 * 0.36, scaled);
    }
    let middle = Done {
        spec: spec(25, 512, 5.0),
        step_secs: 0.56,
        ..done()
    };
    let measured = expected(&[vec![done(); 3], vec![middle; 3]].concat(), small);
    assert!(width(measured) < width(scaled), "{scaled:?} {measured:?}");
}

#[test]
fn what_a_step_cache_leaves_is_measured() {
    let off = with(spec(25, 640, 5.0), "cache.kind", "off");
    let on = with(spec(25, 640, 5.0), "cache.kind", "teacache");
    let exact = Done {
        spec: off.clone(),
        ..done()
    };
    // Never seen: wide.
    let guessed = expected(&vec![exact.clone(); 3], on.clone());
    assert_within(38.0 + 55.0, guessed);
    // Seen with half of the steps: what it computed counts for others.
    let cached = Done {
        spec: with(spec(12, 640, 5.0), "cache.kind", "teacache"),
        evaluations: Some([50, 50]),
        ..done()
    };
    let jobs = [vec![exact; 3], vec![cached.clone(); 3]].concat();
    let known = expected(&jobs, on);
    assert_near(38.0 + 55.0, known, 0.02);
    assert!(width(known) < width(guessed), "{guessed:?} {known:?}");
    // And back.
    assert_near(138.0, expected(&vec![cached; 3], off), 0.02);
}

#[test]
fn guidance_evaluates_twice() {
    let mut guided = spec(25, 640, 5.0);
    guided.guidance = Guidance {
        cfg: 2.0,
        ..Guidance::default()
    };
    assert_near(238.0, expected(&vec![done(); 3], guided), 0.02);
}

#[test]
fn a_run_that_went_on_counts_for_what_it_did() {
    let kept = Kept {
        sections: 2,
        steps: 5,
        pieces: 0,
    };
    let resumed = Done {
        resumed: Some((2, kept, true)),
        ..done()
    };
    assert_near(138.0, expected(&[resumed], spec(25, 640, 5.0)), 0.001);
    let of_before = Done {
        resumed: Some((2, kept, false)),
        ..done()
    };
    let unknown = ask(&[of_before], spec(25, 640, 5.0), CARD, Temperature::Cold);
    assert!(unknown.estimate().is_none(), "{unknown:?}");
}

#[test]
fn what_is_loaded_need_not_be_loaded_again() {
    let hot = Done {
        temperature: Temperature::Hot,
        ..done()
    };
    let asked = |jobs: &[Done]| {
        let told = ask(jobs, spec(25, 640, 5.0), CARD, Temperature::Hot);
        *told.estimate().unwrap()
    };
    assert_near(121.0, asked(&[done(), hot]), 0.001);
    // Only a cold start was seen.
    assert_within(121.0, asked(&[done()]));
}

#[test]
fn another_card_is_hardly_known() {
    let jobs = vec![done(); 3];
    let same = expected(&jobs, spec(25, 640, 5.0));
    let other = ask(&jobs, spec(25, 640, 5.0), "another card", Temperature::Cold);
    let other = *other.estimate().unwrap();
    assert_eq!(other.basis, Basis::Similar { jobs: 3 });
    assert!(other.high_secs > 3.0 * other.secs && other.low_secs < other.secs / 3.0);
    assert!(width(other) > 5.0 * width(same));
    // One job of its own is worth more.
    let own = Done {
        device: "another card",
        step_secs: 3.0,
        ..done()
    };
    let jobs = [jobs, vec![own]].concat();
    let told = ask(&jobs, spec(25, 640, 5.0), "another card", Temperature::Cold);
    assert_near(338.0, *told.estimate().unwrap(), 0.001);
}

#[test]
fn other_settings_widen_the_range() {
    let jobs = vec![done(); 3];
    let same = expected(&jobs, spec(25, 640, 5.0));
    let streamed = with(spec(25, 640, 5.0), "memory.backend", "v1");
    let other = expected(&jobs, streamed);
    assert_eq!(other.basis, Basis::Similar { jobs: 3 });
    assert!(width(other) > 2.0 * width(same), "{same:?} {other:?}");
}
