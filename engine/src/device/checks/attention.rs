//! Kernels of scaled dot-product attention against the formula in f32.

use tch::{Device, Kind};

use super::finding::{Finding, max_difference, waves, within};
use crate::device::attention::AttentionKernel;

pub(super) fn cudnn(device: Device) -> Finding {
    compare(AttentionKernel::Cudnn, device)
}

pub(super) fn flash(device: Device) -> Finding {
    compare(AttentionKernel::Flash, device)
}

pub(super) fn memory_efficient(device: Device) -> Finding {
    compare(AttentionKernel::MemoryEfficient, device)
}

pub(super) fn math(device: Device) -> Finding {
    compare(AttentionKernel::Math, device)
}

/// In the type that models compute in on this device.
fn compare(kernel: AttentionKernel, device: Device) -> Finding {
    let (kind, limit) = match device {
        Device::Cuda(_) => (Kind::BFloat16, 2e-2),
        _ => (Kind::Float, 1e-5),
    };
    let [q, k, v] = [0.37, 0.53, 0.71].map(|step| {
        let operand = waves(&[1, 4, 1000, 128], step, device);
        operand.to_kind(kind)
    });
    let Some(output) = kernel.attention(&q, &k, &v, None) else {
        return Ok(None);
    };
    let [q, k, v] = [q, k, v].map(|operand| operand.to_kind(Kind::Float));
    let scores = q.matmul(&k.transpose(-2, -1)) / 128_f64.sqrt();
    let expected = scores.softmax(-1, Kind::Float).matmul(&v);
    within(
        max_difference(&output, &expected),
        limit,
        "from math in f32",
    )
}
