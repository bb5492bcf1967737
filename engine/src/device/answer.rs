//! Whether a device computes right, by a small computation whose result is known.

use tch::{Device, Kind, Tensor};

use super::{catch::catch, identity::label};
use crate::error::Error;

/// Side of the matrices: whole numbers up to its square are exact in f32.
const SIDE: i64 = 256;

/// Tries `device`; an error says that it fails, or that it gives wrong numbers.
pub(crate) fn answers(device: Device) -> Result<(), Error> {
    let found = catch(|| Ok(last_column_sum(device)))?;
    // Row r of the product is r in every place.
    let expected = (0..SIDE).sum::<i64>() as f64;
    if found.to_bits() == expected.to_bits() {
        return Ok(());
    }
    Err(Error::Device {
        message: format!(
            "{} computes wrong: a sum is {found} that is {expected}",
            label(device)
        ),
    })
}

/// A matrix of which row r has r / SIDE everywhere, by one of ones; the sum of the last column.
fn last_column_sum(device: Device) -> f64 {
    let options = (Kind::Float, device);
    let rows = Tensor::arange(SIDE, options).unsqueeze(1) / SIDE as f64; // exact: a power of two
    let product = rows
        .expand([SIDE, SIDE], false)
        .matmul(&Tensor::ones([SIDE, SIDE], options));
    product
        .select(1, SIDE - 1)
        .sum(Kind::Double)
        .double_value(&[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_answers_and_a_device_that_is_not_there_does_not() {
        answers(Device::Cpu).unwrap();
        let error = answers(Device::Cuda(99)).unwrap_err();
        assert!(!error.to_string().is_empty());
    }
}
