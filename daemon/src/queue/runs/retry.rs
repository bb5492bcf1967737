//! Whether a run that failed is tried again, and how: by the failure's class, never by its text.

use std::time::Duration;

use framepack_ipc::worker::Precaution;
use framepack_jobs::{Class, RetrySpec};

/// Workers that may die under one job, without a new section between, before it is given up.
pub(super) const MAX_WORKER_DEATHS: u32 = 3;
/// Starts of one job that may end with the daemon's own death, without a new section between.
pub(super) const MAX_LOST_STARTS: u32 = 10;
/// Longest pause before another attempt.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// What is done after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// Another attempt, not before this long.
    Again {
        pause: Duration,
        precaution: Precaution,
    },
    GiveUp,
}

/// What was tried before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct PriorAttempts {
    /// Failures that were followed by another attempt.
    pub(super) retries: u32,
    /// What the attempt that failed did otherwise.
    pub(super) precaution: Precaution,
}

/// Decides by the class, by what the job file says, and by what was tried before.
pub(super) fn decide(class: Class, spec: &RetrySpec, tried: PriorAttempts) -> Decision {
    if !is_curable(class) || !spec.on.contains(&class) || tried.retries >= spec.max {
        return Decision::GiveUp;
    }
    match (class, tried.precaution) {
        // The same numbers would come out of the same computation: one attempt, in another way, at once.
        (Class::Numerics, Precaution::None) => Decision::Again {
            pause: Duration::ZERO,
            precaution: Precaution::Numerics,
        },
        (Class::Numerics, Precaution::Numerics) => Decision::GiveUp,
        (_, precaution) => Decision::Again {
            pause: pause(spec, tried.retries),
            precaution,
        },
    }
}

/// Whether another attempt may end otherwise at all.
fn is_curable(class: Class) -> bool {
    match class {
        Class::Input | Class::Policy | Class::Cancelled => false,
        class => RetrySpec::CLASSES.contains(&class),
    }
}

/// The pause after this many retries, doubled with each.
fn pause(spec: &RetrySpec, retries: u32) -> Duration {
    let first = Duration::from_secs(spec.backoff_secs.into());
    let longest = LONGEST_PAUSE.max(first);
    first
        .saturating_mul(2_u32.saturating_pow(retries))
        .min(longest)
}

#[cfg(test)]
mod tests {
    use Class::{Cancelled, Gpu, Hang, Input, Internal, Io, Numerics, Oom, Policy};

    use super::*;

    fn again(pause_secs: u64) -> Decision {
        Decision::Again {
            pause: Duration::from_secs(pause_secs),
            precaution: Precaution::None,
        }
    }

    fn after(retries: u32) -> PriorAttempts {
        PriorAttempts {
            retries,
            ..PriorAttempts::default()
        }
    }

    #[test]
    fn by_class_with_the_default() {
        let spec = RetrySpec::default();
        let expected = |class, retries| match (class, retries) {
            (Oom | Hang | Gpu | Io, 0) => again(30),
            (Oom | Hang | Gpu | Io, 1) => again(60),
            _ => Decision::GiveUp,
        };
        for class in [Input, Policy, Oom, Hang, Gpu, Io, Cancelled, Internal] {
            for retries in 0..4 {
                let decision = decide(class, &spec, after(retries));
                assert_eq!(
                    decision,
                    expected(class, retries),
                    "{class:?} after {retries}"
                );
            }
        }
    }

    #[test]
    fn what_a_job_file_says() {
        let spec = |max, on: &[Class], backoff_secs| RetrySpec {
            max,
            on: on.to_vec(),
            backoff_secs,
        };
        for (spec, class, retries, expected) in [
            (spec(0, &[Oom], 1), Oom, 0, Decision::GiveUp),
            (spec(9, &[Oom], 1), Gpu, 0, Decision::GiveUp),
            (spec(9, &[Internal], 1), Internal, 3, again(8)),
            (spec(9, &[Io], 0), Io, 8, again(0)),
            (spec(10, &[Io], 3000), Io, 9, again(3600)),
            (spec(10, &[Io], 86_400), Io, 9, again(86_400)),
            // No list makes these curable.
            (
                spec(9, &[Input, Policy, Cancelled], 1),
                Input,
                0,
                Decision::GiveUp,
            ),
            (
                spec(9, &[Input, Policy, Cancelled], 1),
                Policy,
                0,
                Decision::GiveUp,
            ),
            (
                spec(9, &[Input, Policy, Cancelled], 1),
                Cancelled,
                0,
                Decision::GiveUp,
            ),
        ] {
            let decision = decide(class, &spec, after(retries));
            assert_eq!(
                decision, expected,
                "{class:?} after {retries} with {spec:?}"
            );
        }
    }

    #[test]
    fn not_a_number_is_tried_once_in_another_way() {
        let spec = RetrySpec::default();
        let first = decide(Numerics, &spec, PriorAttempts::default());
        let cautious = Decision::Again {
            pause: Duration::ZERO,
            precaution: Precaution::Numerics,
        };
        assert_eq!(first, cautious);
        let tried = PriorAttempts {
            retries: 1,
            precaution: Precaution::Numerics,
        };
        assert_eq!(decide(Numerics, &spec, tried), Decision::GiveUp);
        // Whatever fails then is tried again in that way.
        let decision = decide(Oom, &spec, tried);
        assert!(
            matches!(
                decision,
                Decision::Again {
                    precaution: Precaution::Numerics,
                    ..
                }
            ),
            "{decision:?}"
        );
    }
}
