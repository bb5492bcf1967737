//! The conditioning of all steps of a schedule: evaluated before the first of them, or at each.

use super::guidance::Guided;
use crate::transformer::{Conditioning, StepConditioning};

/// The conditioning of a whole schedule, or what it is made from. The results are the same.
#[derive(Debug)]
pub enum ScheduleConditioning<'a> {
    /// Evaluated for all steps before the first of them.
    Hoisted(HoistedSteps),
    /// Evaluated at each step.
    EachStep(Guided<&'a Conditioning>),
}

/// The conditioning of each step of a schedule.
#[derive(Debug)]
pub struct HoistedSteps(Vec<HoistedStep>);

#[derive(Debug)]
struct HoistedStep {
    sigma: f32,
    conditioning: Guided<StepConditioning>,
}

/// The noise levels of a schedule at which the model is evaluated: all but the last, which is 0.
pub fn steps_of(sigmas: &[f32]) -> &[f32] {
    &sigmas[..sigmas.len() - 1]
}

impl HoistedSteps {
    /// From the branches' steps in the order of `sigmas`, a whole schedule.
    ///
    /// # Panics
    /// If a branch has not one entry for each step.
    pub fn new(sigmas: &[f32], branches: Guided<Vec<StepConditioning>>) -> Self {
        let sigmas = steps_of(sigmas);
        let mut all = std::iter::once(&branches.positive).chain(&branches.negative);
        assert!(
            all.all(|steps| steps.len() == sigmas.len()),
            "an entry a step"
        );
        let mut negative = branches.negative.into_iter().flatten();
        let steps = sigmas.iter().zip(branches.positive);
        let steps = steps.map(|(&sigma, positive)| HoistedStep {
            sigma,
            conditioning: Guided {
                positive,
                negative: negative.next(),
            },
        });
        Self(steps.collect())
    }

    /// The conditioning at a noise level of the schedule.
    pub(super) fn at(&self, sigma: f32) -> &Guided<StepConditioning> {
        let is_this = |step: &&HoistedStep| step.sigma.to_bits() == sigma.to_bits();
        let step = self.0.iter().find(is_this);
        &step
            .expect("all noise levels of the schedule were hoisted")
            .conditioning
    }
}
