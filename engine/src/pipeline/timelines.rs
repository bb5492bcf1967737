//! A section's step caches, and which of its steps they let compute.

use framepack_jobs::{SectionSteps, StepCacheUse, StepTimeline};

use super::{restart::StepMade, run::Run};
use crate::{
    checkpoint::{Checkpoints, KeptSteps, Provenance, ResumePoint},
    models::Models,
    plan::{Ladder, STEP_CACHE_RUNG},
    sampler::{Guided, needs_negative},
    section::SectionOrder,
    transformer::{CachedSection, MagTable, ScheduleSteps, StepCache, StepCacheRule},
};

/// New caches for a section of which so many steps are made.
pub(super) fn caches(run: &Run<'_, '_>, steps_made: usize) -> Guided<StepCache> {
    let (job, rule) = (run.job, run.models.placement().step_cache);
    let is_guided = needs_negative(&job.sampling.guidance);
    let section = CachedSection {
        steps: ScheduleSteps {
            total: job.sampling.steps as usize,
            made: steps_made,
        },
        size_px: [job.plan.height_px, job.plan.width_px],
        table: match job.sampling.sections.order {
            SectionOrder::Backward => MagTable::Original,
            SectionOrder::Forward => MagTable::F1,
        },
        branches: if is_guided { 2 } else { 1 },
    };
    let cache = || StepCache::new(&rule, &section);
    Guided {
        positive: cache(),
        negative: is_guided.then(cache),
    }
}

/// Which steps of a section were computed, those of earlier runs included.
#[derive(Debug)]
pub(super) struct Timelines {
    pub(super) now: SectionSteps,
    has_cache: bool,
}

impl Timelines {
    /// Of the section with this number, of which an earlier run may have left some steps.
    pub(super) fn new(section: u32, kept: Option<&KeptSteps>, caches: &Guided<StepCache>) -> Self {
        let nothing = SectionSteps {
            section,
            positive: StepTimeline::default(),
            negative: caches.negative.as_ref().map(|_| StepTimeline::default()),
        };
        Self {
            now: kept.and_then(|kept| kept.timeline).unwrap_or(nothing),
            has_cache: caches.positive.is_active(),
        }
    }

    /// Takes over what the caches decided at the step that was made last.
    pub(super) fn advance(&mut self, caches: Guided<&StepCache>) -> StepMade {
        if !self.has_cache {
            return StepMade::ByItself;
        }
        let decided = caches.map(StepCache::has_computed);
        self.now.positive.push(decided.positive);
        if let (Some(timeline), Some(is_computed)) = (&mut self.now.negative, decided.negative) {
            timeline.push(is_computed);
        }
        if decided.positive && decided.negative.unwrap_or(true) {
            StepMade::Computed
        } else {
            StepMade::Reused
        }
    }

    /// Those of the section, if it has a step cache.
    pub(super) fn section(&self) -> Option<SectionSteps> {
        self.has_cache.then_some(self.now)
    }
}

/// Whether the latest run of the job computed every step although the job has a step cache: the rest is made in the same
/// way.
pub(super) fn did_without(
    rule: &StepCacheRule,
    found: &ResumePoint,
    checkpoints: &Checkpoints,
) -> bool {
    let section = found.sections.len() as u32 + 1;
    let unfinished = checkpoints.unfinished(section).provenance();
    let newest = unfinished.as_ref().or(found.newest());
    *rule != StepCacheRule::Off && newest.is_some_and(Provenance::has_no_step_cache)
}

/// Why the sections that were made last reused nothing although the job has a step cache.
pub(super) fn given_up(rule: &StepCacheRule, models: &Models, ladder: &Ladder) -> Option<String> {
    let is_given_up = models.placement().step_cache != *rule;
    is_given_up.then(|| match ladder.reason_of(STEP_CACHE_RUNG) {
        Some(reason) => format!("given up for want of memory ({reason})"),
        None => "left out: there is no room for it on the device".to_owned(),
    })
}

/// What a job's report says of its step cache: the rule that it asked for, the sections' steps, and why some have none.
pub(super) fn report(
    rule: &StepCacheRule,
    sections: Vec<SectionSteps>,
    given_up: Option<String>,
) -> Option<StepCacheUse> {
    if *rule == StepCacheRule::Off {
        return None;
    }
    let timelines = sections
        .iter()
        .flat_map(|section| [Some(section.positive), section.negative])
        .flatten();
    let (steps, reused) = timelines.fold((0, 0), |(steps, reused), timeline| {
        (steps + timeline.steps(), reused + timeline.reused())
    });
    Some(StepCacheUse {
        kind: rule.kind().as_str().to_owned(),
        rule: rule.to_string(),
        computed: steps - reused,
        reused,
        sections,
        given_up,
    })
}
