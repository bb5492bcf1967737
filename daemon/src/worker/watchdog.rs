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
/// How often this process looks at the clock while it waits for a worker.
const TICK: Duration = Duration::from_secs(1);
/// A look that comes so much too late shows that this process was stopped meanwhile, perhaps with its worker.
const LATE: Duration = Duration::from_millis(500);
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
    /// What the slowest step took since the latest one that was computed: steps that reuse others may take next to nothing,
    /// and a step may be reported before the device has done it.
    slowest_since_computed: Duration,
    /// When this process looked at the clock last.
    looked_at: Instant,
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
            slowest_since_computed: Duration::ZERO,
            looked_at: Instant::now(),
            is_paused: false,
        }
    }

    /// Goes by other deadlines from now on.
    pub(super) fn take_over(&mut self, deadlines: Deadlines) {
        self.deadlines = deadlines;
    }

    /// The worker was given a job.
    pub(super) fn begin(&mut self, now: Instant) {
        self.profile = None;
        self.position = None;
        self.heard_at = now;
        self.looked_at = now;
        self.is_paused = false;
    }

    /// When this process has to look at the clock again.
    pub(super) fn next_look(&self) -> Instant {
        let deadline = self.deadline();
        let tick = self.looked_at + TICK;
        deadline.map_or(tick, |deadline| deadline.min(tick))
    }

    /// This process looks at the clock. Returns how long it stood still since it did last: nobody could have been heard
    /// in that time, so it counts as no silence.
    pub(super) fn look(&mut self, now: Instant) -> Duration {
        let late = now.saturating_duration_since(self.looked_at + TICK);
        self.looked_at = now;
        if late < LATE {
            return Duration::ZERO;
        }
        self.heard_at += late;
        late
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
        if before.is_some_and(|before| is_ordinary_step(before, progress)) {
            let took = now - self.heard_at;
            self.slowest_since_computed = self.slowest_since_computed.max(took);
            if progress.timeline.computed().last().unwrap_or(true) {
                self.learn();
            }
        } else {
            self.slowest_since_computed = Duration::ZERO;
        }
        self.heard_at = now;
    }

    fn learn(&mut self) {
        let took = std::mem::take(&mut self.slowest_since_computed);
        if let Some(profile) = &self.profile {
            let steps = self.history.entry(profile.clone()).or_default();
            if steps.len() == REMEMBERED {
                steps.pop_front();
            }
            steps.push_back(took);
        }
    }

    /// It gets on where steps are not counted.
    pub(super) fn heard(&mut self, now: Instant) {
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
mod tests;
