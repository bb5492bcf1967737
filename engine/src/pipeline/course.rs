//! A section's steps as they are made: which were computed, and what another run would need to go on.

use framepack_jobs::{SectionSteps, StepTimeline};

use super::{restart::RestartPoint, timelines::Timelines};
use crate::{
    checkpoint::{KeptSteps, Provenance, UnfinishedSection},
    error::Error,
    sampler::{Guided, SolverState},
    transformer::StepCache,
};

/// The steps of one section so far, those of earlier runs included.
#[derive(Debug)]
pub(super) struct Course<'a> {
    sigmas: &'a [f32],
    timelines: Timelines,
    restart: RestartPoint,
    /// Steps that are on the disk.
    kept_steps: usize,
}

impl<'a> Course<'a> {
    /// Of the section with this number along these noise levels, of which an earlier run may have left some steps.
    pub(super) fn new(
        sigmas: &'a [f32],
        section: u32,
        kept: Option<&KeptSteps>,
        caches: &Guided<StepCache>,
    ) -> Self {
        let state = kept.map(|kept| &kept.state);
        Self {
            sigmas,
            timelines: Timelines::new(section, kept, caches),
            restart: RestartPoint::begun(state),
            kept_steps: steps_made(kept, sigmas),
        }
    }

    /// Takes over a step that led to `state`, as the caches decided it.
    pub(super) fn advance(&mut self, state: &SolverState, caches: Guided<&StepCache>) {
        let made = self.timelines.advance(caches);
        self.restart.advance(state, made);
    }

    /// Keeps what another run needs, unless it is kept already. Returns how many steps that run need not make; `None`:
    /// it would begin the section again.
    pub(super) fn keep(
        &mut self,
        unfinished: &UnfinishedSection,
        provenance: &Provenance,
    ) -> Result<Option<u32>, Error> {
        let Some((steps, kept)) = self.restart.kept(self.sigmas, self.timeline()) else {
            return Ok(None);
        };
        if steps > self.kept_steps {
            unfinished.save(&kept, provenance)?;
            self.kept_steps = steps;
        }
        Ok(Some(steps as u32))
    }

    /// With the prompt: which steps were computed; empty without a step cache.
    pub(super) fn positive(&self) -> StepTimeline {
        self.timelines.now.positive
    }

    /// The same of both branches; `None` without a step cache.
    pub(super) fn timeline(&self) -> Option<SectionSteps> {
        self.timelines.section()
    }
}

/// How many steps along `sigmas` need not be made again.
pub(super) fn steps_made(kept: Option<&KeptSteps>, sigmas: &[f32]) -> usize {
    kept.map_or(0, |kept| kept.state.steps(sigmas))
}
