//! Where a section that is being sampled can be gone on with by another run.
//!
//! Without a step cache that is behind every step. With one, steps may reuse what an earlier one computed, which is too
//! large to be kept on the disk; so it is before the latest step that computed everything, and that step is made again.

use framepack_jobs::SectionSteps;

use crate::{checkpoint::KeptSteps, sampler::SolverState};

/// What the latest step was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StepMade {
    /// No later step reuses anything of it.
    ByItself,
    /// Later steps may reuse what it computed, and nothing of earlier ones.
    Computed,
    /// It reused something.
    Reused,
}

/// The state of the solver to go on from.
#[derive(Debug, Default)]
pub(super) struct RestartPoint {
    /// Behind the latest step.
    latest: Option<SolverState>,
    /// Where another run would go on; `None`: at the section's beginning.
    point: Option<SolverState>,
}

impl RestartPoint {
    /// Of a section that goes on from this state, or begins.
    pub(super) fn begun(state: Option<&SolverState>) -> Self {
        Self {
            latest: state.map(SolverState::shallow_clone),
            point: state.map(SolverState::shallow_clone),
        }
    }

    /// A step led to `state`.
    pub(super) fn advance(&mut self, state: &SolverState, made: StepMade) {
        let before = self.latest.replace(state.shallow_clone());
        match made {
            StepMade::ByItself => self.point = Some(state.shallow_clone()),
            StepMade::Computed => self.point = before,
            StepMade::Reused => {}
        }
    }

    /// What is kept of a section whose steps so far were these: so many steps, and the state behind them.
    pub(super) fn kept(
        &self,
        sigmas: &[f32],
        timeline: Option<SectionSteps>,
    ) -> Option<(usize, KeptSteps)> {
        let state = self.point.as_ref()?.shallow_clone();
        let steps = state.steps(sigmas);
        let timeline = timeline.map(|timeline| SectionSteps {
            positive: timeline.positive.first(steps),
            negative: timeline.negative.map(|negative| negative.first(steps)),
            ..timeline
        });
        Some((steps, KeptSteps { state, timeline }))
    }
}
