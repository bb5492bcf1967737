//! Safetensors files as plain f32 values, and how far two of them are apart.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use safetensors::{Dtype, SafeTensors};

use crate::manifest::{Forward, Tolerance};

pub(crate) struct Tensors(BTreeMap<String, Tensor>);

struct Tensor {
    shape: Vec<usize>,
    values: Vec<f32>,
}

/// One row of the table.
pub(crate) struct Difference {
    what: String,
    shape: Vec<usize>,
    max_abs: f64,
    rel_l2: f64,
    pub(crate) within: bool,
}

impl Tensors {
    /// Reads a file whose tensors are all f32, as the worker's outputs always are.
    pub(crate) fn read(path: &Path) -> Self {
        let bytes =
            std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let file = SafeTensors::deserialize(&bytes)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let tensors = file.iter().map(|(name, view)| {
            assert_eq!(view.dtype(), Dtype::F32, "{name} in {}", path.display());
            let values = view
                .data()
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect();
            (
                name.to_owned(),
                Tensor {
                    shape: view.shape().to_vec(),
                    values,
                },
            )
        });
        Self(tensors.collect())
    }

    /// Compares every output; names and shapes must be the reference's exactly.
    pub(crate) fn compare(&self, found: &Self, case: &Forward) -> Vec<Difference> {
        let names = |tensors: &Self| tensors.0.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(found), names(self), "outputs of {}", case.name);
        let rows = self.0.iter().map(|(name, expected)| {
            let found = &found.0[name];
            assert_eq!(
                found.shape, case.shapes[name],
                "shape of {name} in {}",
                case.name
            );
            let what = format!("{} {name}", case.name);
            match case.stride.get(name) {
                Some(steps) => expected.difference(what, &found.strided(steps), &case.tolerance),
                None => expected.difference(what, found, &case.tolerance),
            }
        });
        rows.collect()
    }
}

impl Tensor {
    /// Every n-th element along each axis, starting with the first.
    fn strided(&self, steps: &[usize]) -> Self {
        let shape: Vec<usize> = self
            .shape
            .iter()
            .zip(steps)
            .map(|(size, step)| size.div_ceil(*step))
            .collect();
        let count = shape.iter().product();
        let value = |mut flat: usize| {
            let (mut offset, mut width) = (0, 1);
            for axis in (0..shape.len()).rev() {
                offset += (flat % shape[axis]) * steps[axis] * width;
                flat /= shape[axis];
                width *= self.shape[axis];
            }
            self.values[offset]
        };
        Self {
            values: (0..count).map(value).collect(),
            shape,
        }
    }

    fn difference(&self, what: String, found: &Self, tolerance: &Tolerance) -> Difference {
        assert_eq!(found.shape, self.shape, "{what}");
        let (mut max_abs, mut squares, mut norm) = (0.0_f64, 0.0, 0.0);
        for (&expected, &found) in self.values.iter().zip(&found.values) {
            let (expected, delta) = (f64::from(expected), f64::from(found) - f64::from(expected));
            // f64::max would ignore a NaN.
            max_abs = if delta.abs() <= max_abs {
                max_abs
            } else {
                delta.abs()
            };
            squares += delta * delta;
            norm += expected * expected;
        }
        let rel_l2 = (squares / norm).sqrt();
        let within =
            tolerance.max_abs.is_none_or(|most| max_abs <= most) && rel_l2 <= tolerance.rel_l2;
        Difference {
            what,
            shape: self.shape.clone(),
            max_abs,
            rel_l2,
            within,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            shape,
            max_abs,
            rel_l2,
            within,
        } = self;
        let verdict = if *within { "ok" } else { "FAILED" };
        let shape = format!("{shape:?}");
        write!(
            f,
            "{what:<48} {shape:<22} max abs {max_abs:9.2e}  rel L2 {rel_l2:9.2e}  {verdict}"
        )
    }
}
