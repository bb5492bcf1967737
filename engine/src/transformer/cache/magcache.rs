//! MagCache (arXiv:2506.09045) as FramePack-Studio has it: the residual of all blocks is reused while a table says that
//! its magnitude has changed little.
//!
//! The table has the mean ratio of each step's residual to the one before, as measured with FramePack and with F1, for
//! videos of six sizes and 25, 50 and 75 steps. Which steps are computed follows from it before the first one, so that
//! nothing is read from the device.

mod ratios;

use tch::Tensor;

pub use self::ratios::MagTable;
use super::{
    pass::Pass,
    residual::Residual,
    rule::Limits,
    steps::{StepRecord, Steps},
};
use crate::transformer::streams::Streams;

/// A step whose own ratio is further from 1 is computed.
const FAR: f64 = 0.06;

/// The state of a branch.
#[derive(Debug)]
pub(in crate::transformer) struct MagCache {
    schedule: Vec<StepRecord>,
    residual: Residual,
}

impl MagCache {
    /// For a section whose residuals change by these ratios, one a step.
    pub(super) fn new(limits: &Limits, ratios: &[f64]) -> Self {
        Self {
            schedule: schedule(limits, ratios),
            residual: Residual::default(),
        }
    }

    /// The image stream behind the last block.
    pub(super) fn run(&mut self, steps: &mut Steps, pass: &Pass<'_>, streams: Streams) -> Tensor {
        let record = self.schedule[steps.next()];
        steps.note(record);
        if record.is_computed {
            self.residual.compute(pass, streams)
        } else {
            self.residual.reuse(&streams.image())
        }
    }
}

/// What is decided at each step.
fn schedule(limits: &Limits, ratios: &[f64]) -> Vec<StepRecord> {
    let retained = limits.retained(ratios.len()).max(1);
    let (mut ratio, mut error, mut in_row) = (1., 0., 0);
    let decide = |(step, now): (usize, &f64)| {
        if step < retained {
            return StepRecord::whole(true, None);
        }
        ratio *= now;
        error += f64::abs(1. - ratio);
        let distance = Some(error);
        let is_near =
            error <= limits.threshold && !limits.is_reached(in_row) && (1. - now).abs() <= FAR;
        if is_near {
            in_row += 1;
        } else {
            (ratio, error, in_row) = (1., 0., 0);
        }
        StepRecord::whole(!is_near, distance)
    };
    ratios.iter().enumerate().map(decide).collect()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    /// Sequences of the reference's rule, written from its description by `tests/oracle`.
    const GOLDENS: &str = include_str!("../../../../tests/fixtures/parity/data/magcache.json");

    #[derive(Deserialize)]
    struct Goldens {
        sequences: Vec<Sequence>,
    }

    #[derive(Deserialize)]
    struct Sequence {
        family: String,
        res: u32,
        steps: usize,
        threshold: f64,
        k: u32,
        retention: f64,
        computed: String,
    }

    #[test]
    fn steps_are_those_of_the_reference() {
        let goldens: Goldens = serde_json::from_str(GOLDENS).unwrap();
        assert!(goldens.sequences.len() > 300);
        for golden in goldens.sequences {
            let table = match golden.family.as_str() {
                "f1" => MagTable::F1,
                _ => MagTable::Original,
            };
            let limits = Limits {
                threshold: golden.threshold,
                max_skip: Some(golden.k),
                retention: golden.retention,
            };
            let ratios = table.ratios([golden.res; 2], golden.steps);
            let records = schedule(&limits, &ratios);
            let letters = records
                .iter()
                .map(|record| if record.is_computed { 'C' } else { 's' });
            let name = format!("{} {} {}", golden.family, golden.res, golden.steps);
            assert_eq!(letters.collect::<String>(), golden.computed, "{name}");
        }
    }
}
