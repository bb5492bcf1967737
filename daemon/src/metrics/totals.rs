//! What has added up since the daemon started.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use framepack_jobs::{Job, JobId, JobState, Phase};

use super::text::{Family, Text};

/// Sums over jobs that have ended; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Totals(Arc<Mutex<Sums>>);

#[derive(Debug, Default)]
struct Sums {
    /// Jobs that were counted.
    ended: HashSet<JobId>,
    /// By state, and of failures by class.
    states: BTreeMap<(&'static str, String), u64>,
    phases: BTreeMap<&'static str, f64>,
    retries: u64,
    frames: u64,
    energy_joules: f64,
}

impl Totals {
    /// Counts a job that has ended, once.
    pub(crate) fn count(&self, job: &Job) {
        let mut sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !job.is_finished() || !sums.ended.insert(job.id) {
            return;
        }
        let class = match &job.state {
            JobState::Failed { failure, .. } => failure.class.to_string(),
            _ => String::new(),
        };
        *sums
            .states
            .entry((job.state.name().as_str(), class))
            .or_default() += 1;
        sums.energy_joules += job.runs.energy_joules.unwrap_or_default();
        sums.retries += u64::from(job.runs.attempts.saturating_sub(1));
        if let Some(result) = job.state.result() {
            sums.frames += u64::from(result.plan.frames);
            for phase in &result.phases {
                *sums.phases.entry(Phase::as_str(phase.phase)).or_default() += phase.secs;
            }
        }
    }

    pub(super) fn write(&self, text: &mut Text) {
        let sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = text.family(Family::counter(
            "framepackd_jobs_ended",
            "Jobs that ended, by state and failure class.",
        ));
        for ((state, class), count) in &sums.states {
            ended.value(&[("state", state), ("class", class)], *count as f64);
        }
        let phases = text.family(Family::counter(
            "framepackd_phase_seconds",
            "Time spent in each phase of jobs.",
        ));
        for (phase, secs) in &sums.phases {
            phases.value(&[("phase", phase)], *secs);
        }
        text.family(Family::counter(
            "framepackd_retries",
            "Runs of jobs after their first.",
        ))
        .value(&[], sums.retries as f64);
        text.family(Family::counter(
            "framepackd_frames",
            "Frames of finished videos.",
        ))
        .value(&[], sums.frames as f64);
        text.family(Family::counter(
            "framepackd_job_energy_joules",
            "Energy used by GPUs while rendering.",
        ))
        .value(&[], sums.energy_joules);
    }
}
