//! Where a branch is among its section's steps, and what was decided at each.

use framepack_jobs::StepTimeline;

use super::rule::Limits;

/// The steps of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduleSteps {
    /// Of the whole schedule, at least 1.
    pub total: usize,
    /// Those that an earlier run made: the first one now is computed, as it was then, so that all that later steps reuse
    /// is there.
    pub made: usize,
}

/// What was decided at a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepRecord {
    /// Whether every block was computed.
    pub is_computed: bool,
    /// What was compared with the threshold, of SimCache the least of its blocks' similarities; `None`: nothing was.
    pub distance: Option<f64>,
    /// How many blocks were not computed; `None` where that is all or none of them.
    pub reused_blocks: Option<u32>,
}

impl StepRecord {
    /// Of a cache that decides for a step as a whole.
    pub(super) fn whole(is_computed: bool, distance: Option<f64>) -> Self {
        Self {
            is_computed,
            distance,
            reused_blocks: None,
        }
    }
}

/// The steps so far.
#[derive(Debug)]
pub(super) struct Steps {
    section: ScheduleSteps,
    retained: usize,
    records: Vec<StepRecord>,
    reused_in_row: u32,
}

impl Steps {
    /// Of a section whose first `retained` steps are computed in any case.
    pub(super) fn new(section: ScheduleSteps, retained: usize) -> Self {
        Self {
            section,
            retained,
            records: Vec::new(),
            reused_in_row: 0,
        }
    }

    /// Number of the next step, from 0.
    pub(super) fn next(&self) -> usize {
        self.section.made + self.records.len()
    }

    /// Whether nothing is compared at the next step: the first, the last, one of those that are retained, and the first of
    /// this run.
    pub(super) fn is_computed_in_any_case(&self) -> bool {
        let next = self.next();
        self.records.is_empty() || next + 1 == self.section.total || next < self.retained
    }

    /// The same where these limits are of the step as a whole: also behind so many that reused something.
    pub(super) fn is_decided(&self, limits: &Limits) -> bool {
        self.is_computed_in_any_case() || limits.is_reached(self.reused_in_row)
    }

    /// How many of the latest steps in a row reused something.
    pub(super) fn reused_in_row(&self) -> u32 {
        self.reused_in_row
    }

    /// Notes what was decided at the next step.
    pub(super) fn note(&mut self, record: StepRecord) {
        self.reused_in_row = if record.is_computed {
            0
        } else {
            self.reused_in_row + 1
        };
        self.records.push(record);
    }

    /// What was decided at each step of this run.
    pub(super) fn records(&self) -> &[StepRecord] {
        &self.records
    }

    /// Which steps of this run were computed.
    pub(super) fn timeline(&self) -> StepTimeline {
        let mut timeline = StepTimeline::default();
        for record in &self.records {
            timeline.push(record.is_computed);
        }
        timeline
    }
}
