//! Ranges and defaults of the keys of `worker`.

use std::ops::RangeInclusive;

/// A parameter's range and default.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parameter<T> {
    /// Smallest and largest accepted value.
    pub(crate) range: RangeInclusive<T>,
    /// Value of a job that does not say.
    pub(crate) default: T,
}

impl<T> Parameter<T> {
    const fn new(range: RangeInclusive<T>, default: T) -> Self {
        Self { range, default }
    }
}

/// `worker.recycle_after`: jobs.
pub(crate) const RECYCLE_AFTER: Parameter<u32> = Parameter::new(0..=1_000_000, 50);
/// `worker.max_faults`.
pub(crate) const MAX_FAULTS: Parameter<u32> = Parameter::new(0..=1000, 3);
/// `worker.first_step_deadline_secs` and `worker.min_step_deadline_secs`: up to a day.
pub(crate) const DEADLINE_SECS: RangeInclusive<u32> = 1..=86_400;
/// `worker.step_deadline_factor`.
pub(crate) const DEADLINE_FACTOR: RangeInclusive<u32> = 2..=1000;
