//! What a finished job tells of the time that others will take.

use framepack_ipc::worker::Temperature;
use framepack_jobs::{BundleDefaults, JobState, Phase, RenderOutput};

use super::{kind::Kind, work::Work};
use crate::record::Record;

/// A gap in a job's time that is longer than this share of it was a pause.
const PAUSE_SHARE: f64 = 0.1;
/// And longer than this.
const PAUSE_SECS: f64 = 2.0;

/// A finished job: what its last run computed, and how long that took.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) kind: Kind,
    /// The device's name, as its driver tells it.
    pub(super) device: String,
    /// What its worker had loaded when it began; `None`: it was not noted.
    pub(super) temperature: Option<Temperature>,
    pub(super) work: Work,
    /// Loading, encoding, and what belongs to no phase.
    pub(super) opening_secs: f64,
    /// Sampling, by the steps that this run made.
    pub(super) step_secs: f64,
    /// Decoding of a section; `None`: nothing was left to decode.
    pub(super) decode_secs: Option<f64>,
    /// Writing the whole video and reading it back.
    pub(super) write_secs: f64,
    /// Evaluations of the transformer that computed every block, 0 to 1.
    pub(super) computed: f64,
}

impl Sample {
    /// `None`: the job is not done, or it can't be told how much of it its last run did.
    pub(super) fn of(record: &Record, bundle: &BundleDefaults) -> Option<Self> {
        let JobState::Done {
            started_at,
            finished_at,
            result,
        } = &record.job.state
        else {
            return None;
        };
        let made = Made::of(record, result)?;
        let secs = |meant: &[Phase]| -> f64 {
            let meant = result
                .phases
                .iter()
                .filter(|time| meant.contains(&time.phase));
            meant.map(|time| time.secs).sum()
        };
        let in_phases: f64 = result.phases.iter().map(|time| time.secs).sum();
        let between = (finished_at.secs_since(*started_at) - in_phases).max(0.0);
        let is_pause = between > PAUSE_SECS.max(PAUSE_SHARE * in_phases);
        let decoded = f64::from(made.decoded);
        Some(Self {
            kind: Kind::of(&record.job, bundle),
            device: device_name(result).to_owned(),
            temperature: record.private.began.map(|began| began.temperature),
            work: Work::of_plan(&result.plan),
            opening_secs: secs(&[Phase::Load, Phase::Text, Phase::Image])
                + if is_pause { 0.0 } else { between },
            step_secs: secs(&[Phase::Sample]) / f64::from(made.steps),
            decode_secs: (made.decoded > 0).then(|| secs(&[Phase::Decode]) / decoded),
            write_secs: secs(&[Phase::Encode, Phase::Verify]),
            computed: computed(result),
        })
    }
}

/// What a run did of its job.
struct Made {
    /// Steps, of all sections.
    steps: u32,
    /// Sections that it decoded.
    decoded: u32,
}

impl Made {
    /// `None`: nothing, or it was not noted where it began.
    fn of(record: &Record, result: &RenderOutput) -> Option<Self> {
        let plan = &result.plan;
        let Some(resumed) = &result.resumed else {
            return Some(Self {
                steps: plan.sections * plan.steps,
                decoded: plan.sections,
            })
            .filter(|made| made.steps > 0);
        };
        let kept = record.private.began?.kept;
        let sections = plan.sections.checked_sub(resumed.sections_done)?;
        // Steps that were kept are of the section behind the last one whose frames are there.
        let is_next = kept.sections == resumed.sections_done;
        let steps = if is_next { kept.steps } else { 0 };
        Some(Self {
            steps: (sections * plan.steps).checked_sub(steps)?,
            decoded: plan.sections.saturating_sub(kept.sections),
        })
        .filter(|made| made.steps > 0)
    }
}

/// The device's name; its label in results that do not have it.
fn device_name(result: &RenderOutput) -> &str {
    let plan = result.memory_plan.as_ref();
    plan.map_or(&result.device, |plan| &plan.device.name)
}

fn computed(result: &RenderOutput) -> f64 {
    let cache = result.step_cache.as_ref();
    let counts = cache.map(|cache| (f64::from(cache.computed), f64::from(cache.reused)));
    let (computed, reused) = counts.unwrap_or((1.0, 0.0));
    if computed + reused > 0.0 {
        computed / (computed + reused)
    } else {
        1.0
    }
}
