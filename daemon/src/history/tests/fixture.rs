//! Jobs as they were done on made-up farms.

use framepack_ipc::worker::Temperature;
use framepack_jobs::{
    Job, JobId, JobState, Length, Phase, PhaseTime, RenderOutput, RenderPlan, Resumed, Runs,
    Schedule, Settings, Size, Source, StepCacheUse, Timestamp, ValidSpec, Value, sections_in,
    settings::Origins,
};

use crate::record::{Began, Kept, Private, Record};

const BEGIN: &str = "2026-11-24T12:00:00.000000Z";
pub(super) const CARD: &str = "a card";

/// A job as it was done.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub(super) spec: ValidSpec,
    pub(super) device: &'static str,
    pub(super) temperature: Temperature,
    /// Seconds of a step that computes everything.
    pub(super) step_secs: f64,
    /// Evaluations that computed and reused, if there is a step cache.
    pub(super) evaluations: Option<[u32; 2]>,
    /// Sections that were there, what else was kept, and whether that was noted.
    pub(super) resumed: Option<(u32, Kept, bool)>,
    pub(super) paused_secs: f64,
}

/// 5 s of 4 sections of 25 steps at 640 pixels, 1 s a step, cold: 20 + 100 + 4 × 3 + 6 s.
pub(super) fn done() -> Done {
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

pub(super) fn spec(steps: u32, bucket: u32, secs: f64) -> ValidSpec {
    ValidSpec {
        steps: Some(steps),
        size: Size {
            bucket: Some(bucket),
        },
        length: Length { secs },
        ..ValidSpec::default()
    }
}

pub(super) fn with(mut spec: ValidSpec, key: &str, value: &str) -> ValidSpec {
    spec.settings.set(key, Value::from(value));
    spec
}

impl Done {
    pub(super) fn record(&self) -> Record {
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

pub(super) fn job(spec: ValidSpec, state: JobState) -> Job {
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
