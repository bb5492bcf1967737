//! When a device is disabled: repeated faults, and no finished job between them.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use framepack_config::Limit;
use framepack_jobs::JobId;
use tokio::time::Instant;

/// Older faults are forgotten.
const MEMORY: Duration = Duration::from_hours(1);

/// What was wrong with a device or its worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// A job ended with a failure of the device, or with its worker's death. However often a job does that: it may be
    /// the job's fault, so it counts once.
    Job(JobId),
    /// A worker did not start, or died without a job. It counts half: nothing was lost, and it may pass, as while a
    /// driver is being updated.
    Worker,
}

/// The faults of one device.
#[derive(Debug)]
pub(super) struct Faults {
    max: Limit,
    seen: VecDeque<(Instant, Cause)>,
}

impl Faults {
    /// So many faults take the device out.
    pub(super) fn new(max: Limit) -> Self {
        Self {
            max,
            seen: VecDeque::new(),
        }
    }

    /// So many do from now on.
    pub(super) fn take_over(&mut self, max: Limit) {
        self.max = max;
    }

    /// A job was finished: the device works.
    pub(super) fn forget(&mut self) {
        self.seen.clear();
    }

    /// Notes a fault. `true`: the device is to be disabled.
    pub(super) fn note(&mut self, cause: Cause, now: Instant) -> bool {
        self.seen.push_back((now, cause));
        self.seen
            .retain(|(at, _)| now.duration_since(*at) <= MEMORY);
        let limit = self.max.number();
        limit.is_some_and(|max| self.halves() >= 2 * u64::from(max))
    }

    /// The faults in halves.
    fn halves(&self) -> u64 {
        let mut jobs = BTreeSet::new();
        let mut workers = 0;
        for (_, cause) in &self.seen {
            match cause {
                Cause::Job(job) => {
                    jobs.insert(*job);
                }
                Cause::Worker => workers += 1,
            }
        }
        2 * jobs.len() as u64 + workers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many of these faults, a number of minutes apart, the device is disabled.
    fn out_after(max: u32, minutes_apart: u64, causes: &[Cause]) -> Option<usize> {
        let mut faults = Faults::new(if max == 0 {
            Limit::Never
        } else {
            Limit::At(max)
        });
        let mut now = Instant::now();
        for (i, cause) in causes.iter().enumerate() {
            if faults.note(*cause, now) {
                return Some(i + 1);
            }
            now += Duration::from_mins(minutes_apart);
        }
        None
    }

    #[test]
    fn which_faults_take_a_device_out() {
        let job = |id| Cause::Job(JobId(id));
        let (jobs, poisoned) = ([job(1), job(2), job(3)], [job(1); 9]);
        let starts = [Cause::Worker; 9];
        let mixed = [job(1), Cause::Worker, Cause::Worker, job(1), job(2)];
        for (max, minutes_apart, causes, expected) in [
            (3, 1, jobs.as_slice(), Some(3)),
            (3, 30, &jobs, Some(3)),
            (3, 31, &jobs, None),
            (1, 1, &jobs, Some(1)),
            (0, 1, &jobs, None),
            (3, 1, &poisoned, None),
            (3, 1, &starts, Some(6)),
            (3, 12, &starts, Some(6)),
            (3, 13, &starts, None),
            (3, 1, &mixed, Some(5)),
        ] {
            let out = out_after(max, minutes_apart, causes);
            assert_eq!(out, expected, "{max} {minutes_apart} {causes:?}");
        }
    }

    #[test]
    fn a_finished_job_makes_up_for_everything() {
        let mut faults = Faults::new(Limit::At(3));
        let now = Instant::now();
        for job in 0..20 {
            assert!(!faults.note(Cause::Job(JobId(2 * job)), now), "{job}");
            assert!(!faults.note(Cause::Job(JobId(2 * job + 1)), now), "{job}");
            faults.forget();
        }
    }
}
