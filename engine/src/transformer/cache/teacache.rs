//! TeaCache (arXiv:2411.19108) as FramePack has it: the residual of all blocks is reused until the first block's modulated
//! input has moved far enough.
//!
//! Upstream: `initialize_teacache` of `HunyuanVideoTransformer3DModelPacked`. The measure of a step is its input's relative
//! L1 distance from that of the step before, reused or not, through a polynomial that was fitted to HunyuanVideo; it adds
//! up until a step is computed.

use framepack_jobs::StepTimeline;
use tch::{Kind, Tensor};

use super::{
    pass::Pass,
    residual::Residual,
    rule::Limits,
    steps::{StepRecord, Steps},
};
use crate::{
    kernels::tokens::modulated_norm,
    transformer::{arithmetic::EPS, streams::Streams},
};

/// From the relative distance of modulated inputs to that of outputs, the highest power first.
const POLYNOMIAL: [f64; 5] = [
    733.226_126,
    -401.131_952,
    67.586_917_4,
    -3.149_879_00,
    0.096_123_789_6,
];

/// The state of a branch.
#[derive(Debug)]
pub(in crate::transformer) struct TeaCache {
    limits: Limits,
    accumulated: f64,
    /// The modulated input of the step before, (1, L, D).
    previous: Option<Tensor>,
    residual: Residual,
    /// Which steps are computed, if that is not for the measure to decide.
    given: Option<StepTimeline>,
}

impl TeaCache {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            accumulated: 0.,
            previous: None,
            residual: Residual::default(),
            given: None,
        }
    }

    /// Measures as usual, and computes the steps of this timeline.
    pub(super) fn following(limits: Limits, timeline: StepTimeline) -> Self {
        Self {
            given: Some(timeline),
            ..Self::new(limits)
        }
    }

    /// The image stream behind the last block.
    pub(super) fn run(&mut self, steps: &mut Steps, pass: &Pass<'_>, streams: Streams) -> Tensor {
        let record = self.decide(steps, modulated(pass, &streams.image()));
        steps.note(record);
        if record.is_computed {
            self.residual.compute(pass, streams)
        } else {
            self.residual.reuse(&streams.image())
        }
    }

    fn decide(&mut self, steps: &Steps, modulated: Tensor) -> StepRecord {
        let previous = self.previous.replace(modulated);
        let distance = previous
            .filter(|_| !steps.is_decided(&self.limits))
            .zip(self.previous.as_ref())
            .map(|(previous, now)| {
                self.accumulated += polynomial(relative_distance(now, &previous));
                self.accumulated
            });
        let is_near = distance.is_some_and(|distance| distance < self.limits.threshold);
        let given = self
            .given
            .and_then(|given| given.computed().nth(steps.next()));
        let is_computed = given.unwrap_or(!is_near);
        if is_computed {
            self.accumulated = 0.;
        }
        StepRecord::whole(is_computed, distance)
    }
}

/// What the first block's attention begins with, (1, L, D).
fn modulated(pass: &Pass<'_>, image: &Tensor) -> Tensor {
    let [shift, scale] = pass.first_shift_and_scale();
    modulated_norm(image, [&shift, &scale], EPS)
}

/// The mean of the absolute difference over that of what was before, both in the model's type, as in the original. The
/// step's one read from the device.
fn relative_distance(now: &Tensor, before: &Tensor) -> f64 {
    let difference = (now - before).abs_().mean(None::<Kind>);
    (difference / before.abs().mean(None::<Kind>)).double_value(&[])
}

fn polynomial(x: f64) -> f64 {
    POLYNOMIAL.iter().fold(0., |value, power| value * x + power)
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::transformer::cache::steps::ScheduleSteps;

    #[test]
    fn the_polynomial_has_the_published_values() {
        for (x, expected) in [
            (0., 0.096_123_8),
            (0.01, 0.070_989_9),
            (0.02, 0.057_069_3),
            (0.05, 0.062_038_4),
            (0.1, 0.129_195_8),
            (0.2, 0.133_731_1),
        ] {
            let value = polynomial(x);
            assert!((value - expected).abs() < 1e-6, "{x}: {value}");
        }
    }

    /// Decisions for modulated inputs that are this number everywhere.
    fn decided(limits: Limits, total: usize, inputs: &[f64]) -> (String, Vec<Option<f64>>) {
        let mut cache = TeaCache::new(limits);
        let mut steps = Steps::new(ScheduleSteps { total, made: 0 }, limits.retained(total));
        for input in inputs {
            let modulated = Tensor::full([1, 2, 3], *input, (Kind::Float, Device::Cpu));
            let record = cache.decide(&steps, modulated);
            steps.note(record);
        }
        let distances = steps.records().iter().map(|record| record.distance);
        (steps.timeline().to_string(), distances.collect())
    }

    const REFERENCE: Limits = Limits {
        threshold: 0.15,
        max_skip: None,
        retention: 0.,
    };

    #[test]
    fn distances_add_up_from_step_to_step_until_one_is_computed() {
        // Each step is 10 % larger than the one before: 0.1292 a step.
        let inputs: Vec<f64> = (0..8).map(|step| 1.1_f64.powi(step)).collect();
        let (timeline, distances) = decided(REFERENCE, 8, &inputs);
        assert_eq!(timeline, "CrCrCrCC");
        assert_eq!((distances[0], distances[7]), (None, None));
        let second = distances[2].unwrap();
        assert!((second - 2. * 0.129_195_8).abs() < 1e-4, "{second}");
        // A distance after a computed step begins at nothing.
        assert!((distances[3].unwrap() - 0.129_195_8).abs() < 1e-4);
    }

    #[test]
    fn limits_compute_what_would_be_reused() {
        let inputs: Vec<f64> = (0..8).map(|step| 1.1_f64.powi(step)).collect();
        let loose = Limits {
            threshold: 1.,
            ..REFERENCE
        };
        assert_eq!(decided(loose, 8, &inputs).0, "CrrrrrrC");
        let two = Limits {
            max_skip: Some(2),
            ..loose
        };
        assert_eq!(decided(two, 8, &inputs).0, "CrrCrrCC");
        let half = Limits {
            retention: 0.5,
            ..loose
        };
        assert_eq!(decided(half, 8, &inputs).0, "CCCCrrrC");
        assert_eq!(
            decided(
                Limits {
                    threshold: 0.,
                    ..REFERENCE
                },
                8,
                &inputs
            )
            .0,
            "CCCCCCCC"
        );
    }

    #[test]
    fn what_is_no_number_is_computed() {
        let (timeline, _) = decided(REFERENCE, 4, &[0., 0., 0., 0.]);
        assert_eq!(timeline, "CCCC");
    }
}
