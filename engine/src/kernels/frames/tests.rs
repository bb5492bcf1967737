//! Torch's operations of this folder against the layers that they replace; the CUDA source compiles.

use tch::{Device, Kind, Tensor};

use super::{
    source::{Types, variant},
    *,
};
use crate::kernels::{
    launch::{Kernels, compile_everywhere},
    variant::adjacent,
};

const CPU: (Kind, Device) = (Kind::Float, Device::Cpu);

fn random(shape: &[i64]) -> Tensor {
    Tensor::randn(shape, CPU) * 2.0 + 5.0
}

/// (T, H, W, C) → (1, C, T, H, W)
fn channels_first(frames: &Tensor) -> Tensor {
    frames.permute([3, 0, 1, 2]).unsqueeze(0).contiguous()
}

fn assert_close(found: &Tensor, expected: &Tensor) {
    assert_eq!(found.size(), expected.size());
    let apart = (found.to_kind(Kind::Double) - expected).abs().max();
    assert!(apart.double_value(&[]) < 1e-5, "{apart:?}");
}

#[test]
fn sources_compile_for_every_architecture_without_a_device() {
    let kinds = [Kind::Float, Kind::Half, Kind::BFloat16];
    let uniform = kinds.map(|kind| Types {
        a: kind,
        b: kind,
        out: kind,
    });
    let sums = Types {
        a: Kind::Float,
        b: Kind::Half,
        out: Kind::Float,
    };
    for (types, adjacent) in uniform.into_iter().zip([4, 8, 1]).chain([(sums, 2)]) {
        compile_everywhere(&variant(c"add", types, adjacent).unwrap());
    }
    assert!(
        variant(
            c"add",
            Types {
                a: Kind::Int,
                ..sums
            },
            1
        )
        .is_none()
    );
}

#[test]
fn a_thread_takes_as_many_channels_as_divide_them() {
    for (channels, expected) in [(128, 8), (80, 8), (3, 1), (6, 2), (12, 4), (1, 1)] {
        assert_eq!(adjacent(channels), expected, "{channels}");
    }
}

#[test]
fn moments_of_parts_are_those_of_a_group_norm() {
    let kernels = Kernels::new(Device::Cpu);
    let (x, bias) = (random(&[5, 6, 7, 12]), random(&[12]));
    let part = |start, count| kernels.moments(&x.narrow(0, start, count), &bias);
    let moments = Moments::all(vec![part(0, 1), part(1, 3), part(4, 1)]);
    let groups = moments.of_groups(3, 5 * 6 * 7);
    let grouped = (&x + &bias)
        .view([5 * 6 * 7, 3, 4])
        .transpose(0, 1)
        .flatten(1, 2);
    let (variance, mean) = grouped
        .to_kind(Kind::Double)
        .var_mean_correction(1, 0, false);
    assert_close(&groups.mean, &mean);
    assert_close(&(&groups.squares / groups.count), &variance);

    let mut so_far = part(0, 2).of_groups(3, 2 * 6 * 7);
    so_far.add(&part(2, 3).of_groups(3, 3 * 6 * 7));
    assert_close(&so_far.mean, &mean);
    assert_close(&(&so_far.squares / so_far.count), &variance);
}

#[test]
fn sums_have_their_moments() {
    let kernels = Kernels::new(Device::Cpu);
    let (x, y, bias) = (random(&[2, 3, 4, 8]), random(&[2, 3, 4, 8]), random(&[8]));
    let expected = &x + &y + &bias;
    let (sum, moments) = kernels.add(x.copy(), &y, &bias);
    assert_close(&sum, &expected);
    assert_close(
        &moments.of_groups(8, 24).mean,
        &expected.mean_dim([0_i64, 1, 2].as_slice(), false, Kind::Double),
    );
    let (biased, _) = kernels.add_bias(x.copy(), &bias);
    assert_close(&biased, &(&x + &bias));
    // The sum's type is that of its first part.
    let (half, _) = kernels.add(x.to_kind(Kind::Half), &y, &bias);
    assert_eq!(half.kind(), Kind::Half);
}

fn padding(first: i64, frames: i64) -> Padding<'static> {
    Padding {
        first,
        frames,
        past: None,
        kind: Kind::Float,
    }
}

#[test]
fn edges_are_repeated_and_the_past_is_the_first_frame_or_what_was_left() {
    let kernels = Kernels::new(Device::Cpu);
    let x = random(&[4, 3, 5, 6]);
    let scaling = Scaling {
        scale: random(&[6]),
        shift: random(&[6]),
    };
    let activated = (&x * &scaling.scale + &scaling.shift).silu();
    let reference = |x: &Tensor| channels_first(x).replication_pad3d([1, 1, 1, 1, 2, 0]);
    for (scaling, expected) in [
        (Some(&scaling), reference(&activated)),
        (None, reference(&x)),
    ] {
        let padded = |first, frames| kernels.padded(&x, scaling, padding(first, frames));
        assert_close(&channels_first(&padded(-2, 6)), &expected);
        for (first, frames) in [(-2, 1), (-2, 3), (-1, 2), (0, 4), (1, 2), (3, 1)] {
            let part = channels_first(&padded(first, frames));
            assert_close(&part, &expected.narrow(2, first + 2, frames));
        }
        // The last three frames behind the first one.
        let past = padded(-1, 2);
        let rest = x.narrow(0, 1, 3);
        for (first, frames) in [(-2, 5), (-1, 2), (-2, 1), (0, 3), (-2, 2)] {
            let padding = Padding {
                past: Some(&past),
                ..padding(first, frames)
            };
            let part = kernels.padded(&rest, scaling, padding);
            assert_close(
                &channels_first(&part),
                &expected.narrow(2, first + 3, frames),
            );
        }
    }
}
