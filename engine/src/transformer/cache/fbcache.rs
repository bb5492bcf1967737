//! First block cache: what all blocks but the first added is reused while what the first one adds is about the same.
//!
//! After ParaAttention's first block cache and the Python application's, with what that one lacks (spec: seed-features §5):
//! the comparison is with the latest *computed* step, so that slow drift adds up, the first and the last step are
//! computed, and a section begins anew.

use std::ops::ControlFlow;

use tch::{Kind, Tensor};

use super::{
    pass::Pass,
    residual::Residual,
    rule::Limits,
    steps::{StepRecord, Steps},
};
use crate::transformer::{key_values::Kept, streams::Streams};

/// Least mean that a difference is divided by.
const LEAST_MEAN: f64 = 1e-6;

/// The state of a branch.
#[derive(Debug)]
pub(in crate::transformer) struct FirstBlockCache {
    limits: Limits,
    /// What the first block added to the image stream at the latest computed step, (1, L, D).
    added: Option<Tensor>,
    /// Of the other blocks.
    residual: Residual,
}

impl FirstBlockCache {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            added: None,
            residual: Residual::default(),
        }
    }

    /// The image stream behind the last block.
    pub(super) fn run(&mut self, steps: &mut Steps, pass: &Pass<'_>, streams: Streams) -> Tensor {
        let mut before = Some(streams.image());
        let mut behind_first = None;
        let behind = pass.through(streams, |block, streams| {
            let behind = pass.block(block, &streams, Kept::Nothing);
            let Some(before) = before.take() else {
                return ControlFlow::Continue(behind);
            };
            let added = behind.image() - before;
            let record = self.decide(steps, &added);
            steps.note(record);
            if !record.is_computed {
                return ControlFlow::Break(behind);
            }
            self.added = Some(added);
            self.residual.forget();
            behind_first = Some(behind.image());
            ControlFlow::Continue(behind)
        });
        match behind_first {
            Some(behind_first) => {
                self.residual.keep(&behind_first, &behind.image());
                behind.image()
            }
            None => self.residual.reuse(&behind.image()),
        }
    }

    fn decide(&self, steps: &Steps, added: &Tensor) -> StepRecord {
        let then = self
            .added
            .as_ref()
            .filter(|_| !steps.is_decided(&self.limits));
        let distance = then.map(|then| relative_difference(added, then));
        let is_near = distance.is_some_and(|distance| distance < self.limits.threshold);
        StepRecord::whole(!is_near, distance)
    }
}

/// The mean of the absolute difference over that of what was then. The step's one read from the device.
fn relative_difference(now: &Tensor, then: &Tensor) -> f64 {
    let mean = |tensor: Tensor| tensor.mean(Kind::Float);
    let size = mean(then.abs()).clamp_min(LEAST_MEAN);
    (mean((now - then).abs_()) / size).double_value(&[])
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::transformer::cache::steps::ScheduleSteps;

    /// Decisions where the first block adds this number everywhere.
    fn decided(limits: Limits, added: &[f64]) -> String {
        let mut cache = FirstBlockCache::new(limits);
        let section = ScheduleSteps {
            total: added.len(),
            made: 0,
        };
        let mut steps = Steps::new(section, limits.retained(added.len()));
        for added in added {
            let added = Tensor::full([1, 2, 3], *added, (Kind::Float, Device::Cpu));
            let record = cache.decide(&steps, &added);
            steps.note(record);
            if record.is_computed {
                cache.added = Some(added);
            }
        }
        steps.timeline().to_string()
    }

    const LIMITS: Limits = Limits {
        threshold: 0.035,
        max_skip: None,
        retention: 0.,
    };

    #[test]
    fn slow_drift_adds_up() {
        // 1 % a step: compared with the step before, none would ever be computed again.
        let drift: Vec<f64> = (0..10).map(|step| 1.01_f64.powi(step)).collect();
        assert_eq!(decided(LIMITS, &drift), "CrrrCrrrCC");
    }

    #[test]
    fn as_many_steps_as_allowed_reuse() {
        let limits = Limits {
            max_skip: Some(3),
            ..LIMITS
        };
        assert_eq!(decided(limits, &[1.; 10]), "CrrrCrrrCC");
        assert_eq!(decided(LIMITS, &[1.; 10]), "CrrrrrrrrC");
        assert_eq!(decided(LIMITS, &[0.; 4]), "CrrC");
        assert_eq!(decided(LIMITS, &[1., f64::NAN, 1., 1.]), "CCCC");
    }
}
