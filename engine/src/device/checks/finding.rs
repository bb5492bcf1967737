//! What a check measured, and whether it is right.

use tch::{Device, Kind, Tensor};

/// The measurement of a check that passed, `None` where there is nothing to check, or what is wrong.
pub(super) type Finding = Result<Option<String>, String>;

/// Numbers in -1..1 without a pattern that an error could hide in.
pub(super) fn waves(shape: &[i64], step: f64, device: Device) -> Tensor {
    let count = shape.iter().product::<i64>();
    let angles = Tensor::arange(count, (Kind::Double, device)) * step;
    angles.sin().to_kind(Kind::Float).view(shape)
}

/// The largest difference between two tensors' elements.
pub(super) fn max_difference(a: &Tensor, b: &Tensor) -> f64 {
    let difference = a.to_kind(Kind::Float) - b.to_kind(Kind::Float);
    difference.abs().max().double_value(&[])
}

/// A measured difference as a finding; NaN is beyond every limit.
pub(super) fn within(difference: f64, limit: f64, of_what: &str) -> Finding {
    let text = format!("max difference {of_what} {difference:.1e}");
    if difference <= limit {
        Ok(Some(text))
    } else {
        Err(format!("{text}, more than {limit:.0e}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_past_the_limit_and_nan_are_failures() {
        assert!(within(1e-6, 1e-5, "from x").unwrap().is_some());
        assert!(within(1e-4, 1e-5, "from x").unwrap_err().contains("1e-5"));
        assert!(within(f64::NAN, 1e-5, "from x").is_err());
    }
}
