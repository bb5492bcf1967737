//! How far what kernels give is from what torch's operations give.

use tch::{Kind, Tensor};

/// What comparing some kernels showed.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    /// Largest difference, as a part of what rounding explains.
    farthest: f64,
}

impl Comparison {
    /// Largest difference, as a part of what rounding explains.
    pub(super) fn farthest(&self) -> f64 {
        self.farthest
    }

    /// Compares one result, which rounding may put so far from the expected one.
    pub(super) fn see(&mut self, found: &Tensor, expected: &Tensor, limit: f64) {
        let apart = (found.to_kind(Kind::Double) - expected).abs().max();
        let part = apart.double_value(&[]) / limit;
        self.farthest = if part.is_nan() {
            f64::INFINITY
        } else {
            self.farthest.max(part)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_farther_than_anything() {
        let mut comparison = Comparison::default();
        let [one, two, nan] = [1.0, 2.0, f64::NAN].map(Tensor::from);
        comparison.see(&one, &two, 4.0);
        assert!((comparison.farthest() - 0.25).abs() < 1e-9);
        comparison.see(&one, &nan, 4.0);
        comparison.see(&one, &one, 4.0);
        assert!(comparison.farthest().is_infinite());
    }
}
