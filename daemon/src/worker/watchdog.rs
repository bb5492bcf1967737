//! How long a worker may be silent before it counts as hung: learned from the steps that its device has made.
//!
//! Only what was seen before has a learned limit, and that is a step after a step of the same section. Loading,
//! encoding, a section's first step, decoding and writing get the generous fixed one.

use std::{
    collections::{HashMap, VecDeque},
    path::PathBuf,
    time::Duration,
};

use framepack_config::Deadlines;
use framepack_ipc::worker::{Phase, Progress, RenderPlan, RenderRequest};
use framepack_jobs::Model;
use tokio::time::Instant;

/// Steps of a kind that are remembered.
const REMEMBERED: usize = 64;
/// Of these the one that nine of ten are not slower than is typical; the others had bad luck.
const TYPICAL: (usize, usize) = (9, 10);
/// A deadline that we notice so much too late passed while this process was stopped, perhaps with its worker.
const LATE: Duration = Duration::from_secs(5);
/// A job that was cancelled may take this long to end, or two steps if that is longer.
const CANCEL_GRACE: Duration = Duration::from_secs(10);

/// Steps of one kind take about the same time on one device.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct StepProfile {
    bundle: PathBuf,
    model: Model,
    /// With real guidance the model runs twice a step.
    is_guided: bool,
    size_px: (u32, u32),
    latent_window: u32,
    rung: u32,
}

/// What a silence means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Silence {
    /// It may still end, or nobody could have noticed its end.
    Patience,
    /// The worker hangs; where, and how long it was waited for.
    Hung(String),
}

/// Watches the jobs of one device.
#[derive(Debug)]
pub(super) struct Watchdog {
    deadlines: Deadlines,
    history: HashMap<StepProfile, VecDeque<Duration>>,
    profile: Option<StepProfile>,
    position: Option<Progress>,
    heard_at: Instant,
    is_paused: bool,
}

impl Watchdog {
    pub(super) fn new(deadlines: Deadlines) -> Self {
        Self {
            deadlines,
            history: HashMap::new(),
            profile: None,
            position: None,
            heard_at: Instant::now(),
            is_paused: false,
        }
    }

    /// The worker was given a job.
    pub(super) fn begin(&mut self, now: Instant) {
        self.profile = None;
        self.position = None;
        self.heard_at = now;
        self.is_paused = false;
    }

    /// The job turned out to be of this size.
    pub(super) fn started(&mut self, request: &RenderRequest, plan: &RenderPlan, now: Instant) {
        self.profile = Some(StepProfile {
            bundle: request.bundle.clone(),
            model: request.model,
            is_guided: request.guidance.cfg > 1.0,
            size_px: (plan.width_px, plan.height_px),
            latent_window: plan.latent_window,
            rung: request.rung,
        });
        self.heard_at = now;
    }

    /// The job is here now.
    pub(super) fn progressed(&mut self, progress: Progress, now: Instant) {
        let before = self.position.replace(progress);
        if let (Some(before), Some(profile)) = (before, &self.profile)
            && is_ordinary_step(before, progress)
        {
            let steps = self.history.entry(profile.clone()).or_default();
            if steps.len() == REMEMBERED {
                steps.pop_front();
            }
            steps.push_back(now - self.heard_at);
        }
        self.heard_at = now;
    }

    /// The section begins again with less memory: its steps are of another kind.
    pub(super) fn climbed(&mut self, rung: u32, now: Instant) {
        if let Some(profile) = &mut self.profile {
            profile.rung = rung;
        }
        self.position = None;
        self.heard_at = now;
    }

    /// The worker paused on request: until it resumes it has nothing to say.
    pub(super) fn paused(&mut self) {
        self.is_paused = true;
    }

    /// From now on its silence counts, if it was paused: it may have hung meanwhile.
    pub(super) fn resume_requested(&mut self, now: Instant) {
        if self.is_paused {
            self.resumed(now);
        }
    }

    /// It goes on. The step that was interrupted is not learned from.
    pub(super) fn resumed(&mut self, now: Instant) {
        self.is_paused = false;
        self.position = None;
        self.heard_at = now;
    }

    /// When the worker will have been silent for too long; `None` while it may be.
    pub(super) fn deadline(&self) -> Option<Instant> {
        (!self.is_paused).then(|| self.heard_at + self.limit())
    }

    /// What it means that the worker is still silent.
    pub(super) fn judge_silence(&mut self, now: Instant) -> Silence {
        match self.deadline() {
            Some(deadline) if now > deadline + LATE => {
                self.heard_at = now;
                Silence::Patience
            }
            Some(deadline) if now >= deadline => Silence::Hung(self.describe(now)),
            _ => Silence::Patience,
        }
    }

    /// How long a cancelled job may take to end before its worker is killed.
    pub(super) fn cancel_grace(&self) -> Duration {
        match self.typical() {
            Some(step) if !self.is_paused => CANCEL_GRACE.max(2 * step),
            _ => CANCEL_GRACE,
        }
    }

    fn limit(&self) -> Duration {
        let next_is_ordinary = self.position.is_some_and(|at| {
            at.phase == Phase::Sample && at.step > 0 && (at.steps == 0 || at.step < at.steps)
        });
        limit(self.deadlines, self.typical().filter(|_| next_is_ordinary))
    }

    fn typical(&self) -> Option<Duration> {
        self.history.get(self.profile.as_ref()?).and_then(typical)
    }

    fn describe(&self, now: Instant) -> String {
        let silence = (now - self.heard_at).as_secs_f64();
        let place = match self.position {
            None => "before its first sign of progress".to_owned(),
            Some(at) if at.phase == Phase::Sample => format!(
                "in section {} of {}, step {} of {}",
                at.section + 1,
                at.sections,
                at.step + 1,
                at.steps
            ),
            Some(at) => format!("in phase {:?}", at.phase).to_lowercase(),
        };
        let usual = match self.typical() {
            Some(step) => format!("; slow steps usually take {:.1} s", step.as_secs_f64()),
            None => String::new(),
        };
        format!("no sign of life for {silence:.0} s {place}{usual}")
    }
}

/// Whether the time between two reports is that of one step, and not a section's first: that one may load models.
fn is_ordinary_step(before: Progress, now: Progress) -> bool {
    let both_sample = before.phase == Phase::Sample && now.phase == Phase::Sample;
    both_sample && before.section == now.section && before.step > 0 && now.step == before.step + 1
}

/// The slowest step, a few with bad luck left out; `None` before the first.
fn typical(steps: &VecDeque<Duration>) -> Option<Duration> {
    let mut sorted: Vec<Duration> = steps.iter().copied().collect();
    sorted.sort_unstable();
    let (of, all) = TYPICAL;
    sorted
        .get((sorted.len() * of).div_ceil(all).max(1) - 1)
        .copied()
}

/// How long the worker may be silent: `typical` is what slow steps take, where the next report is that of such a step.
fn limit(deadlines: Deadlines, typical: Option<Duration>) -> Duration {
    let fixed = Duration::from_secs(deadlines.first_step_secs.into());
    let least = Duration::from_secs(deadlines.min_step_secs.into());
    typical.map_or(fixed, |step| {
        least.max(step.saturating_mul(deadlines.step_factor))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINES: Deadlines = Deadlines {
        first_step_secs: 1800,
        step_factor: 5,
        min_step_secs: 60,
    };

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn at(phase: Phase, section: u32, step: u32) -> Progress {
        Progress {
            phase,
            section,
            sections: 3,
            step,
            steps: 25,
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
        assert_eq!(dog.judge_silence(now + secs(99)), Silence::Patience);
        let expected = "no sign of life for 100 s in section 1 of 3, step 4 of 25; slow steps usually take 20.0 s";
        assert_eq!(
            dog.judge_silence(now + secs(100)),
            Silence::Hung(expected.to_owned())
        );

        // This process was stopped for an hour.
        let woken = now + secs(3600);
        assert_eq!(dog.judge_silence(woken), Silence::Patience);
        assert_eq!(dog.deadline(), Some(woken + secs(100)));

        dog.paused();
        assert_eq!(dog.deadline(), None);
        assert_eq!(dog.cancel_grace(), CANCEL_GRACE);
        assert_eq!(dog.judge_silence(woken + secs(101)), Silence::Patience);
        dog.resumed(woken);
        assert_eq!(dog.deadline(), Some(woken + secs(1800)));
    }
}
