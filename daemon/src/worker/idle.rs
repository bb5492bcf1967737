//! What a worker without a job gives up, and when.

use std::time::Duration;

use framepack_config::{Idle, Limit};
use framepack_ipc::worker::Temperature;
use tokio::time::Instant;

/// A job that is ready is given to its worker within a moment; after that there is none.
const MOMENT: Duration = Duration::from_secs(1);

/// What a worker keeps after a job while it waits for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// What the configuration says.
    ForNext,
    /// Nothing: others want the device.
    Nothing,
}

/// What one worker process holds, and since when it has had no job.
#[derive(Debug)]
pub(super) struct IdleClock {
    limits: Idle,
    temperature: Temperature,
    since: Instant,
    kept: Kept,
}

impl IdleClock {
    /// A new process holds nothing.
    pub(super) fn new(limits: Idle, now: Instant) -> Self {
        Self {
            limits,
            temperature: Temperature::Cold,
            since: now,
            kept: Kept::ForNext,
        }
    }

    /// A job has ended, and left its models where they were.
    pub(super) fn job_ended(&mut self, kept: Kept, now: Instant) {
        self.temperature = Temperature::Hot;
        self.kept = kept;
        self.since = now;
    }

    pub(super) fn temperature(&self) -> Temperature {
        self.temperature
    }

    /// Goes by other limits from now on.
    pub(super) fn take_over(&mut self, limits: Idle) {
        self.limits = limits;
    }

    /// Models were loaded for jobs to come, or could not be and none is left.
    pub(super) fn loaded(&mut self, temperature: Temperature, now: Instant) {
        self.temperature = temperature;
        self.kept = Kept::ForNext;
        self.since = now;
    }

    /// What the worker is to give up next, and when; `None`: nothing more.
    pub(super) fn next(&self) -> Option<(Instant, Temperature)> {
        let at = |limit: Limit, to| Some((self.since + limit.duration()?, to));
        let warm = at(self.limits.warm_after_secs, Temperature::Warm);
        let cold = at(self.limits.cold_after_secs, Temperature::Cold);
        match (self.temperature, warm, cold) {
            (Temperature::Cold, ..) => None,
            _ if self.kept == Kept::Nothing => Some((self.since + MOMENT, Temperature::Cold)),
            (Temperature::Warm, _, cold) => cold,
            (Temperature::Hot, Some(warm), Some(cold)) if warm.0 < cold.0 => Some(warm),
            (Temperature::Hot, warm, cold) => cold.or(warm),
        }
    }

    /// The worker was told. What it has given up already stays given up.
    pub(super) fn cooled(&mut self, to: Temperature) {
        self.temperature = self.temperature.max(to);
    }
}

#[cfg(test)]
mod tests {
    use framepack_config::Limit::{At, Never};

    use super::*;

    /// What a worker gives up after a job, with the seconds since.
    fn schedule(warm_after: Limit, cold_after: Limit) -> Vec<(u64, Temperature)> {
        let limits = Idle {
            warm_after_secs: warm_after,
            cold_after_secs: cold_after,
        };
        let begin = Instant::now();
        let mut clock = IdleClock::new(limits, begin);
        assert_eq!(clock.next(), None, "a new worker holds nothing");
        let end = begin + Duration::from_secs(1000);
        clock.job_ended(Kept::ForNext, end);
        let mut schedule = Vec::new();
        while let Some((at, to)) = clock.next() {
            schedule.push(((at - end).as_secs(), to));
            clock.cooled(to);
        }
        schedule
    }

    #[test]
    fn schedules() {
        use Temperature::{Cold, Warm};
        for (warm, cold, expected) in [
            (At(300), At(1800), vec![(300, Warm), (1800, Cold)]),
            (At(0), At(1800), vec![(0, Warm), (1800, Cold)]),
            (Never, At(1800), vec![(1800, Cold)]),
            (At(300), Never, vec![(300, Warm)]),
            (Never, Never, vec![]),
            (At(300), At(300), vec![(300, Cold)]),
            (At(300), At(0), vec![(0, Cold)]),
        ] {
            assert_eq!(schedule(warm, cold), expected, "{warm:?} {cold:?}");
        }
    }

    #[test]
    fn a_job_whose_device_is_wanted_leaves_nothing_whatever_the_limits() {
        let now = Instant::now();
        for limit in [Never, At(3600)] {
            let limits = Idle {
                warm_after_secs: limit,
                cold_after_secs: limit,
            };
            let mut clock = IdleClock::new(limits, now);
            clock.job_ended(Kept::Nothing, now);
            assert_eq!(clock.next(), Some((now + MOMENT, Temperature::Cold)));
            clock.cooled(Temperature::Cold);
            assert_eq!(clock.next(), None);
            clock.job_ended(Kept::ForNext, now);
            assert_ne!(clock.next(), Some((now + MOMENT, Temperature::Cold)));
        }
    }

    #[test]
    fn what_was_loaded_cools_by_the_limits_of_then_and_what_is_cold_stays_cold() {
        let now = Instant::now();
        let mut clock = IdleClock::new(Idle::default(), now);
        clock.cooled(Temperature::Warm);
        assert_eq!(clock.temperature(), Temperature::Cold);
        clock.loaded(Temperature::Hot, now + Duration::from_secs(100));
        assert_eq!(clock.temperature(), Temperature::Hot);
        clock.take_over(Idle {
            warm_after_secs: At(7),
            cold_after_secs: Never,
        });
        let expected = (now + Duration::from_secs(107), Temperature::Warm);
        assert_eq!(clock.next(), Some(expected));
    }

    #[test]
    fn every_job_restarts_the_clock() {
        let mut now = Instant::now();
        let mut clock = IdleClock::new(Idle::default(), now);
        clock.job_ended(Kept::ForNext, now);
        clock.cooled(Temperature::Cold);
        now += Duration::from_secs(5000);
        clock.job_ended(Kept::ForNext, now);
        assert_eq!(clock.temperature(), Temperature::Hot);
        let expected = (now + Duration::from_mins(5), Temperature::Warm);
        assert_eq!(clock.next(), Some(expected));
    }
}
