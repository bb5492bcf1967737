//! UniPC: a unified predictor-corrector for diffusion ODEs (arXiv:2302.04867), predicting x0, B(h) = h, order 3.
//!
//! Written from the paper (algorithms 1 to 4 and equation 9) for the flow of FramePack, where the
//! half log-SNR is `lambda(sigma) = -ln sigma`: from s to t, with m the predictions of x0 and
//! `h = ln(sigma_s / sigma_t)`,
//!
//! ```text
//! x_t = (sigma_t / sigma_s) x_s - (e^-h - 1) m_s + h sum_j rho_j D_j,    D_j = (m_j - m_s) / r_j
//! ```
//!
//! The corrector adds the prediction at t itself to the sum, and that evaluation serves the next
//! predictor, so each step costs one evaluation. The result is the last prediction of x0, not the integrated
//! x: nothing is evaluated at sigma 0.

use std::{collections::VecDeque, ops::ControlFlow};

use tch::Tensor;

/// Highest order of the predictor and the corrector.
const ORDER: usize = 3;

/// Integrates from pure `noise` along `sigmas` (falling, the last one 0 and never used); returns x0.
///
/// - `denoise(x, sigma)` predicts x0 from x, both f32 of the noise's shape; it is called once for each sigma but
///   the last.
/// - `after_step(step, x0)` sees each prediction, `step` counted from 0; `Break` stops the integration.
pub fn unipc<B>(
    noise: &Tensor,
    sigmas: &[f32],
    denoise: impl FnMut(&Tensor, f32) -> Tensor,
    mut after_step: impl FnMut(usize, &Tensor) -> ControlFlow<B>,
) -> ControlFlow<B, Tensor> {
    integrate((noise, None), sigmas, denoise, |step, state| {
        after_step(step, state.past.latest())
    })
}

/// The same from the noise, or from where an earlier integration along the same sigmas was broken off.
/// `after_step(step, state)` sees each new state.
pub(crate) fn integrate<B>(
    (noise, from): (&Tensor, Option<State>),
    sigmas: &[f32],
    mut denoise: impl FnMut(&Tensor, f32) -> Tensor,
    mut after_step: impl FnMut(usize, &State) -> ControlFlow<B>,
) -> ControlFlow<B, Tensor> {
    let steps = sigmas.len() - 1;
    let max_order = ORDER.min(steps - 1);

    let (made, mut state) = if let Some(state) = from {
        (state.steps(sigmas), state)
    } else {
        let state = State::new(noise, sigmas[0], &mut denoise);
        after_step(0, &state)?;
        (1, state)
    };
    for (step, &sigma) in sigmas.iter().enumerate().take(steps).skip(made) {
        state.advance(sigma, step.min(max_order), &mut denoise);
        after_step(step, &state)?;
    }
    ControlFlow::Continue(state.past.latest().shallow_clone())
}

/// Where the integration is.
#[derive(Debug)]
pub(crate) struct State {
    /// x at the latest sigma.
    x: Tensor,
    past: Past,
}

impl State {
    /// All that it is made of: x, and the latest predictions of x0 with their sigmas, the latest first.
    pub(crate) fn parts(&self) -> (&Tensor, impl Iterator<Item = (f32, &Tensor)>) {
        let past = self.past.0.iter();
        (
            &self.x,
            past.map(|(sigma, prediction)| (*sigma, prediction)),
        )
    }

    /// What the latest step takes for the result: the prediction of x0.
    pub(crate) fn prediction(&self) -> &Tensor {
        self.past.latest()
    }

    /// The same tensors.
    pub(crate) fn shallow_clone(&self) -> Self {
        let past = self.past.0.iter();
        let past = past.map(|(sigma, prediction)| (*sigma, prediction.shallow_clone()));
        Self {
            x: self.x.shallow_clone(),
            past: Past(past.collect()),
        }
    }

    /// From its parts; `None` without a prediction.
    pub(crate) fn of(x: Tensor, past: impl IntoIterator<Item = (f32, Tensor)>) -> Option<Self> {
        let past = Past(past.into_iter().collect());
        (!past.0.is_empty()).then_some(Self { x, past })
    }

    /// How many steps along `sigmas` led here; all, where it lies elsewhere.
    pub(crate) fn steps(&self, sigmas: &[f32]) -> usize {
        let (latest, _) = self.past.0[0];
        let is_latest = |sigma: &f32| sigma.to_bits() == latest.to_bits();
        sigmas
            .iter()
            .position(is_latest)
            .map_or(sigmas.len(), |at| at + 1)
    }

    fn new(noise: &Tensor, sigma: f32, denoise: &mut impl FnMut(&Tensor, f32) -> Tensor) -> Self {
        Self {
            x: noise.shallow_clone(),
            past: Past::new(sigma, denoise(noise, sigma)),
        }
    }

    /// Goes on to `sigma`.
    fn advance(
        &mut self,
        sigma: f32,
        order: usize,
        denoise: &mut impl FnMut(&Tensor, f32) -> Tensor,
    ) {
        let update = SolverStep::new(&self.past, &self.x, sigma, order);
        let prediction = denoise(&update.predict(), sigma);
        self.x = update.correct(&prediction);
        self.past.push(sigma, prediction);
    }
}

/// The last few predictions of x0 with their sigmas, the latest first; one at least.
#[derive(Debug)]
struct Past(VecDeque<(f32, Tensor)>);

impl Past {
    fn new(sigma: f32, prediction: Tensor) -> Self {
        Self(VecDeque::from([(sigma, prediction)]))
    }

    fn push(&mut self, sigma: f32, prediction: Tensor) {
        self.0.push_front((sigma, prediction));
        self.0.truncate(ORDER);
    }

    fn latest(&self) -> &Tensor {
        &self.0[0].1
    }
}

/// One step from the latest sigma to the next: what the predictor and the corrector share.
struct SolverStep {
    /// The part without finite differences, which is the first-order solution.
    x_linear: Tensor,
    /// Prediction at the sigma where the step begins.
    start_prediction: Tensor,
    /// `D_j` of the predictions before that one.
    differences: Vec<Tensor>,
    coefficients: Coefficients,
    /// `lambda(sigma_t) - lambda(sigma_s)`, above 0.
    h: f32,
}

impl SolverStep {
    fn new(past: &Past, x: &Tensor, sigma: f32, order: usize) -> Self {
        let (start_sigma, start_prediction) = &past.0[0];
        let lambda = |sigma: f32| -sigma.ln();
        let h = lambda(sigma) - lambda(*start_sigma);
        let earlier = past.0.iter().skip(1).take(order - 1);
        let ratio = |earlier_sigma: f32| (lambda(earlier_sigma) - lambda(*start_sigma)) / h;

        let ratios: Vec<f32> = earlier.clone().map(|(sigma, _)| ratio(*sigma)).collect();
        let differences = earlier
            .zip(&ratios)
            .map(|((_, prediction), &ratio)| (prediction - start_prediction) / f64::from(ratio))
            .collect();
        let x_linear =
            x * f64::from(sigma / start_sigma) - start_prediction * f64::from((-h).exp_m1());
        Self {
            x_linear,
            start_prediction: start_prediction.shallow_clone(),
            differences,
            coefficients: Coefficients::new(&ratios, h),
            h,
        }
    }

    /// Predictor: x at the next sigma from what is known before its evaluation.
    fn predict(&self) -> Tensor {
        self.extrapolate(&self.coefficients.predictor)
    }

    /// Corrector: x at the next sigma, corrected by the prediction made there.
    fn correct(&self, prediction: &Tensor) -> Tensor {
        let (earlier, own) = self.coefficients.corrector.split_at(self.differences.len());
        let difference = prediction - &self.start_prediction; // r = 1
        self.extrapolate(earlier) + difference * f64::from(self.h * own[0])
    }

    fn extrapolate(&self, coefficients: &[f32]) -> Tensor {
        let terms = self.differences.iter().zip(coefficients);
        terms.fold(self.x_linear.shallow_clone(), |x, (difference, &rho)| {
            x + difference * f64::from(self.h * rho)
        })
    }
}

/// The rho of the predictor (order - 1 of them) and of the corrector (order of them).
#[derive(Debug, Clone, PartialEq)]
struct Coefficients {
    predictor: Vec<f32>,
    corrector: Vec<f32>,
}

impl Coefficients {
    /// Solves `sum_j rho_j r_j^(k-1) = moment_k` for k = 1..=order, where the corrector's last r is 1.
    ///
    /// `ratios`: the r of the earlier predictions, nearest first, below 0.
    fn new(ratios: &[f32], h: f32) -> Self {
        let order = ratios.len() + 1;
        let moments = moments(order, h);
        let mut nodes = ratios.to_vec();
        nodes.push(1.);

        // At the lowest order each system degenerates to 1/2, whatever h (section 3.1 of the paper).
        let predictor = match order {
            1 => vec![],
            2 => vec![0.5],
            _ => solve_vandermonde(ratios, &moments[..order - 1]),
        };
        let corrector = match order {
            1 => vec![0.5],
            _ => solve_vandermonde(&nodes, &moments),
        };
        Self {
            predictor,
            corrector,
        }
    }
}

/// `k! phi_(k+1)(-h)` for k = 1..=order, where `phi_1(z) = (e^z - 1) / z`, `phi_(k+1)(z) = (phi_k(z) - 1 / k!) / z`.
fn moments(order: usize, h: f32) -> Vec<f32> {
    let z = -h;
    let mut phi = z.exp_m1() / z;
    let mut factorial = 1.;
    (1..=order)
        .map(|k| {
            factorial *= k as f32;
            phi = (phi - 1. / factorial) / z;
            factorial * phi
        })
        .collect()
}

/// Solves the system whose row k is `nodes^k`, counted from 0, by Gaussian elimination with partial pivoting, in f32.
fn solve_vandermonde(nodes: &[f32], right: &[f32]) -> Vec<f32> {
    let n = nodes.len();
    let mut rows: Vec<Vec<f32>> = (0..n)
        .map(|k| {
            let powers = nodes.iter().map(|node| node.powi(k as i32));
            powers.chain([right[k]]).collect()
        })
        .collect();
    for column in 0..n {
        let pivot = (column..n)
            .max_by(|&a, &b| rows[a][column].abs().total_cmp(&rows[b][column].abs()))
            .expect("the range is not empty");
        rows.swap(column, pivot);
        let (above, below) = rows.split_at_mut(column + 1);
        let pivot_row = &above[column];
        for row in below {
            let factor = row[column] / pivot_row[column];
            for (value, pivot_value) in row[column..].iter_mut().zip(&pivot_row[column..]) {
                *value -= factor * pivot_value;
            }
        }
    }
    let mut solution = vec![0.; n];
    for k in (0..n).rev() {
        let known: f32 = (k + 1..n).map(|j| rows[k][j] * solution[j]).sum();
        solution[k] = (rows[k][n] - known) / rows[k][k];
    }
    solution
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::sampler::{Shift, sigmas};

    /// The integrations of the reference, each with another number of steps.
    fn runs() -> Vec<Value> {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../tests/fixtures/parity/data/unipc.json"
        );
        let mut file: Value =
            serde_json::from_slice(&std::fs::read(path).expect(path)).expect(path);
        let runs: Vec<Value> = serde_json::from_value(file["runs"].take()).expect("a list");
        assert!(!runs.is_empty());
        runs
    }

    fn numbers(value: &Value) -> Vec<f64> {
        serde_json::from_value(value.clone()).expect("numbers")
    }

    /// The reference's model of one scalar.
    fn denoise(x: &Tensor, sigma: f32) -> Tensor {
        let sigma = f64::from(sigma);
        x * (0.1 * sigma) + (0.3 + 0.05 * (3. * sigma).sin())
    }

    #[test]
    fn a_scalar_model_is_integrated_as_in_the_reference() {
        for run in runs() {
            let steps = run["steps"].as_u64().expect("a number") as u32;
            let mut predictions = vec![];
            let result = unipc(
                &Tensor::from_slice(&[1.5_f32]),
                &sigmas(steps, Shift::Factor(7.)),
                denoise,
                |step, x0| {
                    assert_eq!(step, predictions.len());
                    predictions.push(x0.double_value(&[0]));
                    ControlFlow::<()>::Continue(())
                },
            );
            let ControlFlow::Continue(result) = result else {
                panic!("nothing stopped it");
            };
            let wanted = numbers(&run["f64"]["denoised"]);
            assert_eq!(predictions.len(), wanted.len());
            for (got, wanted) in predictions.iter().zip(wanted) {
                assert!(
                    (got - wanted).abs() <= 1e-6,
                    "{steps} steps: {got} instead of {wanted}"
                );
            }
            let last = predictions[predictions.len() - 1];
            assert!(
                (result.double_value(&[0]) - last).abs() <= 0.,
                "the result is the last prediction"
            );
        }
    }

    #[test]
    fn x_is_the_reference_after_each_step() {
        for run in runs() {
            let wanted = numbers(&run["f64"]["x"]);
            let steps = wanted.len();
            let sigmas = sigmas(steps as u32, Shift::Factor(7.));
            let noise = Tensor::from_slice(&[1.5_f32]);
            let mut state = State::new(&noise, sigmas[0], &mut denoise);
            let mut found = vec![state.x.double_value(&[0])];
            for (step, &sigma) in sigmas.iter().enumerate().take(steps).skip(1) {
                state.advance(sigma, step.min(ORDER).min(steps - 1), &mut denoise);
                found.push(state.x.double_value(&[0]));
            }
            for (step, (found, wanted)) in found.iter().zip(wanted).enumerate() {
                let error = (found - wanted).abs();
                assert!(error <= 1e-6, "{steps} steps, x {step}: off by {error:.1e}");
            }
        }
    }

    /// The moments lose digits to cancellation, the more the shorter the step: rounding is divided by h at each order.
    #[test]
    fn coefficients_are_the_reference_up_to_rounding() {
        for run in runs() {
            let sigmas = numbers(&run["f64"]["sigmas"]);
            let steps = sigmas.len() - 1;
            for step in 1..steps {
                let order = step.min(ORDER).min(steps - 1);
                let log = |step: usize| (sigmas[step].ln()) as f32;
                let h = log(step - 1) - log(step);
                let ratios: Vec<f32> = (2..=order)
                    .map(|j| (log(step - 1) - log(step - j)) / h)
                    .collect();
                let allowed = f64::from(4. * f32::EPSILON / h.powi(order as i32 + 1));
                let got = Coefficients::new(&ratios, h);
                for (got, name) in [(got.predictor, "predictor"), (got.corrector, "corrector")] {
                    let wanted = numbers(&run["f64"][name][step]);
                    assert_eq!(got.len(), wanted.len());
                    for (got, wanted) in got.iter().zip(&wanted) {
                        let error = (f64::from(*got) - wanted).abs();
                        assert!(
                            error <= allowed,
                            "{steps} steps, {name} {step}: {got} instead of {wanted}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn break_stops_before_the_next_evaluation() {
        let mut evaluations = 0;
        let stopped = unipc(
            &Tensor::from_slice(&[1.5_f32]),
            &sigmas(10, Shift::Factor(7.)),
            |x, sigma| {
                evaluations += 1;
                denoise(x, sigma)
            },
            |step, _| {
                if step == 3 {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        );
        assert!(stopped.is_break());
        assert_eq!(evaluations, 4);
    }
}
