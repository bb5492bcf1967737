//! `worker`: the processes that render.

use std::path::PathBuf;

use crate::{Devices, Limit, limit::Zero, reader::Reader};

/// `worker`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// Devices, one worker each.
    pub devices: Devices,
    /// The worker binary; `None` = `framepack-worker` beside framepackd.
    pub program: Option<PathBuf>,
    /// Jobs after which a worker is replaced by a new process.
    pub recycle_after: Limit,
    /// Faults in a row after which a device gets no more jobs.
    pub max_faults: Limit,
    /// How long a worker may take.
    pub deadlines: Deadlines,
}

/// How long a worker may be silent before it counts as hung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Seconds for everything that is not learned: loading, encoding, a first step, decoding.
    pub first_step_secs: u32,
    /// A step may take this many times as long as slow ones of its kind have taken.
    pub step_factor: u32,
    /// Seconds that a step may take in any case.
    pub min_step_secs: u32,
}

impl Worker {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            devices: reader.list("worker.devices", Devices::Auto, Devices::read),
            program: reader.path("worker.program"),
            recycle_after: reader.value("worker.recycle_after", Limit::At(50), |node| {
                Limit::read(node, &(1..=1_000_000), Zero::IsNever)
            }),
            max_faults: reader.value("worker.max_faults", Limit::At(3), |node| {
                Limit::read(node, &(1..=1000), Zero::IsNever)
            }),
            deadlines: Deadlines::read(reader),
        }
    }
}

impl Deadlines {
    /// A day at most.
    const SECS: std::ops::RangeInclusive<u32> = 1..=86_400;

    fn read(reader: &mut Reader<'_>) -> Self {
        let or = Self::default();
        Self {
            first_step_secs: reader.value(
                "worker.first_step_deadline_secs",
                or.first_step_secs,
                |node| node.integer(&Self::SECS),
            ),
            step_factor: reader.value("worker.step_deadline_factor", or.step_factor, |node| {
                node.integer(&(2..=1000))
            }),
            min_step_secs: reader.value(
                "worker.min_step_deadline_secs",
                or.min_step_secs,
                |node| node.integer(&Self::SECS),
            ),
        }
    }
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            first_step_secs: 1800,
            step_factor: 5,
            min_step_secs: 60,
        }
    }
}
