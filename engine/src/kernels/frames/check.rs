//! The kernels of a device against torch's operations on it.

use tch::{Device, Kind, Tensor};

use super::{
    interleave::Interleaving,
    padded::Padding,
    scaling::{Norm, Scaling},
};
use crate::kernels::{comparison::Comparison, launch::Kernels};

/// Compares the kernels with torch's operations in the same type.
pub(in crate::kernels) fn compare(kernels: &Kernels, device: Device) -> Comparison {
    let torchs = Kernels::none();
    // A unit in the last place of numbers up to 4.
    let (kind, limit) = match device {
        Device::Cuda(_) => (Kind::Half, 4e-3),
        _ => (Kind::Float, 1e-5),
    };
    let mut comparison = Comparison::default();
    for channels in [3, 12, 80, 128] {
        let waves = |shape: &[i64], step: f64| {
            let count = shape.iter().product::<i64>();
            let angles = Tensor::arange(count, (Kind::Double, device)) * step;
            angles.sin().view(shape)
        };
        let frames = |shape: &[i64], step| waves(shape, step).to_kind(kind);
        let by_channel = |step| waves(&[channels], step).to_kind(Kind::Float);
        let (x, y) = (
            frames(&[3, 9, 11, channels], 0.37),
            frames(&[3, 9, 11, channels], 0.53),
        );
        let bias = by_channel(0.71);
        let scaling = Scaling {
            scale: by_channel(0.91),
            shift: by_channel(1.3),
        };
        let phases = frames(&[2, 10, 12, 8 * channels], 0.19);
        let results = |kernels: &Kernels| {
            let (sum, moments) = kernels.add(x.copy(), &y, &bias);
            let padding = Padding {
                first: -2,
                frames: 5,
                past: None,
                kind,
            };
            let padded = kernels.padded(&x, Some(&scaling), padding);
            let mut upsampled = Tensor::empty([3, 18, 22, channels], (kind, device));
            let of = Interleaving {
                phases: &phases,
                bias: &bias,
                doubles_time: true,
                first_window: 0,
                first_frame: 0,
            };
            let upsampled_moments = kernels.interleave(&of, &mut upsampled);
            let norm = Norm {
                weight: &scaling.scale,
                bias: &scaling.shift,
                groups: 1,
                eps: 1e-6,
            };
            let groups = moments.of_groups(1, 3 * 9 * 11);
            let normed = kernels.scaling(&moments, norm, Some(&bias));
            let normed = normed.unwrap_or_else(|| {
                let deviation = (&groups.squares / groups.count + norm.eps).sqrt();
                let scale = norm.weight / deviation;
                let shift = norm.bias + (&bias - &groups.mean) * &scale;
                Scaling { scale, shift }
            });
            let upsampled_groups = upsampled_moments.of_groups(1, 3 * 18 * 22);
            [
                sum,
                padded,
                upsampled,
                groups.mean,
                groups.squares / groups.count,
                normed.scale,
                normed.shift,
                upsampled_groups.mean,
            ]
        };
        let (found, expected) = (results(kernels), results(&torchs));
        for (found, expected) in found.iter().zip(&expected) {
            comparison.see(found, expected, limit);
        }
    }
    comparison
}
