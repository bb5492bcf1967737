//! The latest steps of a job, by when they were seen: what a step takes, whoever stood still meanwhile.
//!
//! Steps that were made while nobody looked (a daemon that was stopped, or waited for a disk) are seen at once, behind a
//! long silence: they and the silence count together. A single step that takes several times as long as any other shows
//! that the job itself stood still, and does not count.

use std::{collections::VecDeque, time::Duration};

/// Looks that are remembered.
const REMEMBERED: usize = 24;
/// Of two looks the earlier one counts so much less.
const FADES: f64 = 0.9;
/// What is seen sooner than this after what was before it was waiting to be seen.
const AT_ONCE: Duration = Duration::from_millis(20);
/// Of what steps take, steps that are this fast are no backlog, whatever is said above.
const SHARE_AT_ONCE: f64 = 0.25;
/// A step that takes so many times as long as all others is none.
const STANDSTILL: f64 = 4.0;
/// Looks of which one can be told to be unlike the others.
const COMPARABLE: usize = 3;

/// The latest steps.
#[derive(Debug, Default)]
pub(super) struct RecentSteps(VecDeque<Look>);

/// Steps that were seen together, and the time since the look before.
#[derive(Debug, Clone, Copy)]
struct Look {
    steps: u32,
    took: Duration,
}

impl Look {
    fn secs_per_step(self) -> f64 {
        self.took.as_secs_f64() / f64::from(self.steps)
    }
}

impl RecentSteps {
    /// So many steps were made since the look before, which is so long ago.
    pub(super) fn note(&mut self, steps: u32, took: Duration) {
        let at_once = self.secs_per_step().map_or(AT_ONCE, |secs| {
            AT_ONCE.min(Duration::from_secs_f64(SHARE_AT_ONCE * secs))
        });
        match self.0.back_mut() {
            Some(latest) if took < at_once => {
                latest.steps += steps;
                latest.took += took;
            }
            _ => self.0.push_back(Look { steps, took }),
        }
        if self.0.len() > REMEMBERED {
            self.0.pop_front();
        }
    }

    /// What a step takes, once one was seen.
    pub(super) fn secs_per_step(&self) -> Option<f64> {
        let standstill = self.standstill();
        let (mut secs, mut steps, mut weight) = (0.0, 0.0, 1.0);
        for (n, look) in self.0.iter().enumerate().rev() {
            if Some(n) == standstill {
                continue;
            }
            secs += weight * look.took.as_secs_f64();
            steps += weight * f64::from(look.steps);
            weight *= FADES;
        }
        (steps > 0.0).then(|| secs / steps)
    }

    /// The place of the look in which the job stood still, if there is one.
    fn standstill(&self) -> Option<usize> {
        if self.0.len() < COMPARABLE {
            return None;
        }
        let mut paces: Vec<(usize, f64)> = self
            .0
            .iter()
            .map(|look| look.secs_per_step())
            .enumerate()
            .collect();
        paces.sort_by(|one, other| other.1.total_cmp(&one.1));
        let (slowest, next) = (paces.first()?, paces.get(1)?);
        (slowest.1 > STANDSTILL * next.1).then_some(slowest.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(looks: &[(u32, f64)]) -> f64 {
        let mut recent = RecentSteps::default();
        for (steps, secs) in looks {
            recent.note(*steps, Duration::from_secs_f64(*secs));
        }
        recent.secs_per_step().unwrap()
    }

    #[track_caller]
    fn assert_about(found: f64, expected: f64) {
        let share = found / expected;
        assert!((0.8..1.25).contains(&share), "{found} is not {expected}");
    }

    #[test]
    fn steps_that_were_not_looked_at_count_with_the_time_in_which_nobody_looked() {
        let before = [(1, 2.0); 5];
        // A hundred seconds in which 49 steps were made, and the rest of a step.
        let backlog = [&[(1, 99.0)][..], &[(1, 0.0001); 48], &[(1, 1.0)]].concat();
        assert_about(after(&[&before[..], &backlog].concat()), 2.0);
        assert_about(after(&backlog), 2.0);
        assert_about(after(&[&before[..], &backlog, &before].concat()), 2.0);
    }

    #[test]
    fn a_job_that_stood_still_is_no_slower_for_it() {
        let stood_still = [(1, 2.0), (1, 2.0), (1, 600.0), (1, 2.0)];
        assert_about(after(&stood_still), 2.0);
        assert_about(after(&stood_still[1..]), 2.0);
    }

    #[test]
    fn one_that_has_become_slower_is() {
        let slower = [&[(1, 1.0); 20][..], &[(1, 10.0); 16]].concat();
        assert_about(after(&slower), 10.0);
    }

    #[test]
    fn steps_that_reuse_others_are_steps() {
        let cached = [(1, 3.0), (1, 0.1), (1, 0.1), (1, 0.005), (1, 0.1)].repeat(4);
        assert_about(after(&cached), 3.305 / 5.0);
    }

    #[test]
    fn fast_steps_are_no_backlog() {
        assert_about(after(&[(1, 0.005); 30]), 0.005);
    }
}
