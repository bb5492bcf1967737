//! Trying the fused kernels on a device: how long each takes, and whether it computes what math does.

use std::time::Instant;

use tch::{Cuda, Device, Kind, Tensor};

use super::{
    backend::Backend,
    class::Class,
    measured::{Candidate, Measured, Outcome},
};
use crate::{device, error::Error};

/// Longer sequences are not tried: which kernel is the fastest no longer changes, and a job's memory is not planned yet.
const MOST_TOKENS: u64 = 8192;
/// Queries at the end of the sequence that math computes, too, with all keys.
const CHECKED_QUERIES: i64 = 128;
/// Runs after the first, of which the shortest counts.
const RUNS: u32 = 3;
/// How sharply a query of a trial attends to its own token. An average of all values would be near 0, and so would the
/// error of any kernel.
const SHARPNESS: f64 = 4.0;

/// Tries `candidates` on tensors of `class`; fails if there is no room for them.
pub(super) fn measure(
    device: Device,
    class: &Class,
    candidates: &[Backend],
) -> Result<Measured, Error> {
    let _no_grad = tch::no_grad_guard();
    let tokens = class.tokens.min(MOST_TOKENS);
    let trial = device::catch(|| Ok(Trial::new(device, class, tokens as i64)))?;
    let tried = candidates.iter().map(|backend| {
        let outcome = match backend.missing(device, class)? {
            Some(failed) => Outcome::Failed { failed },
            None => trial.of(*backend)?,
        };
        tracing::info!(%backend, ?outcome, ?class, "tried an attention backend");
        Ok(Candidate {
            backend: *backend,
            outcome,
        })
    });
    Ok(Measured {
        tokens,
        candidates: tried.collect::<Result<_, Error>>()?,
    })
}

/// Operands, and what math makes of the last queries.
struct Trial {
    operands: [Tensor; 3],
    expected: Tensor,
}

impl Trial {
    fn new(device: Device, class: &Class, tokens: i64) -> Self {
        let operands = operands(device, class, tokens);
        let [q, k, v] = &operands;
        Self {
            expected: Backend::Math.attention(&last_queries(q), k, v),
            operands,
        }
    }

    fn of(&self, backend: Backend) -> Result<Outcome, Error> {
        let [q, k, v] = &self.operands;
        let tried = device::catch(|| {
            let output = backend.attention(q, k, v);
            if let Err(reason) = check(&output, &self.expected) {
                let failed = format!("{backend} {reason}");
                return Ok(Outcome::Failed { failed });
            }
            let runs = (0..RUNS).map(|_| micros(q.device(), || backend.attention(q, k, v)));
            Ok(Outcome::Passed {
                micros: runs.min().unwrap_or(u64::MAX),
            })
        });
        match tried {
            Err(Error::Torch { message }) => Ok(Outcome::Failed {
                failed: format!("{backend} fails: {message}"),
            }),
            tried => tried,
        }
    }
}

/// Time of `attention`, until the device has done it.
fn micros(device: Device, attention: impl FnOnce() -> Tensor) -> u64 {
    synchronize(device);
    let start = Instant::now();
    let output = attention();
    synchronize(device);
    drop(output);
    u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX)
}

fn synchronize(device: Device) {
    if let Device::Cuda(index) = device {
        Cuda::synchronize(index as i64);
    }
}

/// What is wrong with a kernel's output, as the end of a sentence; `expected` is of the last queries.
fn check(output: &Tensor, expected: &Tensor) -> Result<(), String> {
    if output.isfinite().all().int64_value(&[]) == 0 {
        return Err("computes NaN or Inf".into());
    }
    let limit = match output.kind() {
        Kind::BFloat16 => 2e-2,
        Kind::Half => 5e-3,
        _ => 1e-3,
    };
    let [found, expected] = [&last_queries(output), expected].map(|t| t.to_kind(Kind::Float));
    let largest = |t: &Tensor| t.abs().max().double_value(&[]);
    let difference = largest(&(found - &expected)) / largest(&expected);
    // NaN, of an output of nothing but zeros, is too far, too.
    if difference <= limit {
        return Ok(());
    }
    Err(format!(
        "differs from math by {difference:.1e} of the largest number, more than {limit:.0e}"
    ))
}

fn last_queries(operand: &Tensor) -> Tensor {
    let tokens = operand.size()[2];
    let checked = CHECKED_QUERIES.min(tokens);
    operand.narrow(2, tokens - checked, checked)
}

/// Queries, keys and values as from the transformer's projections, (1, heads, tokens, `head_dim`). Drawn from no
/// generator: that of the noise is the process's only one.
fn operands(device: Device, class: &Class, tokens: i64) -> [Tensor; 3] {
    let of_heads = |base: &Tensor| {
        let heads = Tensor::arange(class.heads, (Kind::Float, device)) / (2 * class.heads) + 1.0;
        let heads = heads.view([1, 1, class.heads, 1]).to_kind(class.kind);
        (base * heads).transpose(1, 2)
    };
    let numbers = |step: f64| {
        let shape = [1, tokens, 1, class.head_dim];
        scattered(step, tokens * class.head_dim, device)
            .view(shape)
            .to_kind(class.kind)
    };
    let (keys, values) = (numbers(12.9898), numbers(78.233));
    [
        of_heads(&(&keys * SHARPNESS)),
        of_heads(&keys),
        of_heads(&values),
    ]
}

/// Numbers between -1 and 1 without an order.
fn scattered(step: f64, count: i64, device: Device) -> Tensor {
    let angles = Tensor::arange(count, (Kind::Double, device)) * step;
    (angles.sin() * 43_758.545_3).frac()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASS: Class = Class {
        kind: Kind::Float,
        heads: 3,
        head_dim: 16,
        tokens: 256,
    };

    #[test]
    fn what_the_processor_has_passes_and_what_it_lacks_is_said() {
        let candidates = [Backend::Flash, Backend::MemoryEfficient];
        let measured = measure(Device::Cpu, &CLASS, &candidates).unwrap();
        assert_eq!(measured.tokens, 256);
        assert!(measured.covers(&candidates) && !measured.covers(&[Backend::Cudnn]));
        assert_eq!(measured.passed(), [Backend::Flash]);
        assert_eq!(
            measured.failures(),
            ["memory-efficient is not available on cpu"]
        );
    }

    #[test]
    fn a_wrong_kernel_does_not_pass() {
        let trial = Trial::new(Device::Cpu, &CLASS, 256);
        let [q, k, v] = &trial.operands;
        let right = Backend::Math.attention(q, k, v);
        check(&right, &trial.expected).unwrap();
        let wrong = [
            (right.zeros_like(), "differs"),
            (right.flip([2]), "differs"),
            (right.roll(1, 1), "differs"),
            (&right * 1.01, "differs"),
            (&right + 0.01, "differs"),
            (Backend::Math.attention(q, k, k), "differs"),
            (&right / 0.0, "NaN or Inf"),
        ];
        for (output, reason) in wrong {
            let error = check(&output, &trial.expected).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
        // In half precision the limit is wider, and still no average passes for a value.
        let class = Class {
            kind: Kind::BFloat16,
            ..CLASS
        };
        let trial = Trial::new(Device::Cpu, &class, 256);
        let [q, k, v] = &trial.operands;
        check(&Backend::Torch.attention(q, k, v), &trial.expected).unwrap();
        let average = v.mean_dim(2, true, Kind::BFloat16).expand_as(v);
        check(&average, &trial.expected).unwrap_err();
    }

    #[test]
    fn values_beyond_the_last_queries_count_if_they_are_not_numbers() {
        let trial = Trial::new(Device::Cpu, &CLASS, 256);
        let [q, k, v] = &trial.operands;
        let output = Backend::Math.attention(q, k, v);
        let _ = output.narrow(2, 0, 1).fill_(f64::NAN);
        assert!(check(&output, &trial.expected).is_err());
    }
}
