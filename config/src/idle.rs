//! `idle`: what workers without jobs give up, and when.

use std::time::Duration;

use crate::{Limit, limit::Zero, reader::Reader};

/// `idle`: since a device's last job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Idle {
    /// Seconds after which its worker frees the device's memory; 0 = with the end of each job.
    pub warm_after_secs: Limit,
    /// Seconds after which it frees the host's memory, too.
    pub cold_after_secs: Limit,
}

impl Idle {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        let or = Self::default();
        // Up to a month.
        let mut secs = |key, default| {
            reader.value(key, default, |node| {
                Limit::read(node, &(0..=2_678_400), Zero::IsANumber)
            })
        };
        Self {
            warm_after_secs: secs("idle.warm_after_secs", or.warm_after_secs),
            cold_after_secs: secs("idle.cold_after_secs", or.cold_after_secs),
        }
    }
}

impl Default for Idle {
    fn default() -> Self {
        Self {
            warm_after_secs: Limit::At(300),
            cold_after_secs: Limit::At(1800),
        }
    }
}

impl Limit {
    /// A number of seconds as a time; `None` = never.
    pub fn duration(self) -> Option<Duration> {
        self.number().map(|secs| Duration::from_secs(secs.into()))
    }
}
