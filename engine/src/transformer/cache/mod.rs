//! Step caches: what a step may reuse of an earlier one instead of computing every block.
//!
//! A cache is the state of one branch of the guidance in one section, so that nothing of another branch, section or
//! size can get into it: whoever begins a section begins with new ones. A branch reads from the device once a step at
//! most, and not where nothing is left to be decided.

mod cost;
mod fbcache;
mod kv;
mod magcache;
mod pass;
mod residual;
mod rule;
mod simcache;
mod steps;
mod teacache;

use framepack_jobs::StepTimeline;
use tch::Tensor;

pub(super) use self::{cost::CacheSizes, pass::Pass};
use self::{
    fbcache::FirstBlockCache, kv::KeyValueCache, magcache::MagCache, simcache::SimilarityCache,
    steps::Steps, teacache::TeaCache,
};
pub use self::{
    magcache::MagTable,
    rule::{Limits, StepCacheRule, StepCacheWishes},
    steps::{ScheduleSteps, StepRecord},
};
use super::{key_values::Kept, streams::Streams};

/// What a cache has to know of its section.
#[derive(Debug, Clone, Copy)]
pub struct CachedSection {
    /// Its steps.
    pub steps: ScheduleSteps,
    /// Height and width of the video in pixels.
    pub size_px: [u32; 2],
    /// Whose measured ratios count.
    pub table: MagTable,
    /// Branches of the guidance, which share a byte budget.
    pub branches: u64,
}

/// How the blocks are gone through at each step, and what that needs to know of the steps before.
#[derive(Debug, Default)]
pub struct StepCache(Option<Active>);

#[derive(Debug)]
struct Active {
    steps: Steps,
    state: State,
}

/// What is kept from step to step.
#[derive(Debug)]
enum State {
    TeaCache(TeaCache),
    MagCache(MagCache),
    FirstBlock(FirstBlockCache),
    Similarity(SimilarityCache),
    KeyValues(KeyValueCache),
}

impl StepCache {
    /// For a branch in a section that begins.
    pub fn new(rule: &StepCacheRule, section: &CachedSection) -> Self {
        let total = section.steps.total;
        let (state, retained) = match rule {
            StepCacheRule::Off => return Self(None),
            StepCacheRule::TeaCache(limits) => (
                State::TeaCache(TeaCache::new(*limits)),
                limits.retained(total),
            ),
            StepCacheRule::MagCache(limits) => {
                let ratios = section.table.ratios(section.size_px, total);
                (State::MagCache(MagCache::new(limits, &ratios)), 0)
            }
            StepCacheRule::FbCache(limits) => {
                let state = State::FirstBlock(FirstBlockCache::new(*limits));
                (state, limits.retained(total))
            }
            StepCacheRule::SimCache(limits, budget) => {
                let budget = budget.of_branch(section.branches);
                let state = State::Similarity(SimilarityCache::new(*limits, budget));
                (state, limits.retained(total))
            }
            StepCacheRule::KeyValues { refresh, budget } => {
                let budget = budget.of_branch(section.branches);
                (State::KeyValues(KeyValueCache::new(*refresh, budget)), 0)
            }
        };
        Self(Some(Active {
            steps: Steps::new(section.steps, retained),
            state,
        }))
    }

    /// A TeaCache that measures as usual and computes the steps of `timeline`, whatever it would decide; for benchmarks
    /// that compare two programs on the same steps.
    pub fn teacache_following(
        limits: Limits,
        steps: ScheduleSteps,
        timeline: StepTimeline,
    ) -> Self {
        Self(Some(Active {
            steps: Steps::new(steps, 0),
            state: State::TeaCache(TeaCache::following(limits, timeline)),
        }))
    }

    /// Whether anything is reused at all.
    pub fn is_active(&self) -> bool {
        self.0.is_some()
    }

    /// Whether the latest step computed every block.
    pub fn has_computed(&self) -> bool {
        self.records()
            .last()
            .is_none_or(|record| record.is_computed)
    }

    /// What was decided at each step of this run; nothing without a cache.
    pub fn records(&self) -> &[StepRecord] {
        self.0.as_ref().map_or(&[], |active| active.steps.records())
    }

    /// Which steps of this run were computed; empty without a cache.
    pub fn timeline(&self) -> StepTimeline {
        let active = self.0.as_ref();
        active.map_or_else(StepTimeline::default, |active| active.steps.timeline())
    }

    /// The image stream behind the last block, from both streams before the first: all its tokens, or the latents alone,
    /// which are the last of them.
    pub(super) fn run(&mut self, pass: &Pass<'_>, streams: Streams) -> Tensor {
        let Some(Active { steps, state }) = &mut self.0 else {
            return pass.every_block(streams).image();
        };
        match state {
            State::TeaCache(cache) => cache.run(steps, pass, streams),
            State::MagCache(cache) => cache.run(steps, pass, streams),
            State::FirstBlock(cache) => cache.run(steps, pass, streams),
            State::Similarity(cache) => cache.run(steps, pass, streams),
            State::KeyValues(cache) => cache.run(steps, pass, streams),
        }
    }
}
