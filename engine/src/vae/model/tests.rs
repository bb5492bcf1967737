//! Real decodes of the demo's trained VAE, in pieces and in one.

use std::path::Path;

use super::*;
use crate::{
    device,
    vae::{Chunk, FinestLevel, Precision, TimeTiling},
};

const SIZES_PX: [[i64; 2]; 2] = [[40, 56], [64, 32]];

impl Vae {
    /// The demo's trained VAE.
    pub(crate) fn demo(kind: Kind) -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/demo/vae");
        let source = ModelSource::Folder(Path::new(folder).into());
        Self::open(&source, Device::Cpu, kind).unwrap()
    }
}

/// A bright bar that moves across a dark picture, (1, C, T, h, w) unscaled.
fn moving_bar(vae: &Vae, latent_frames: i64, [height, width]: [i64; 2]) -> Tensor {
    let frames = 4 * latent_frames - 3;
    let options = (Kind::Float, Device::Cpu);
    let time = Tensor::arange(frames, options).view([1, 1, frames, 1, 1]) / frames as f64;
    let place = Tensor::arange(width, options).view([1, 1, 1, 1, width]) / width as f64;
    let bar = ((place - time) * 6.0).square().neg().exp() * 1.6 - 0.8;
    let pixels = bar.expand([1, 3, frames, height, width], false);
    vae.encode(&pixels, SpaceTiling::Whole).mean
}

const WHOLE: DecodeScheme = DecodeScheme {
    time: TimeTiling::Whole,
    space: SpaceTiling::Whole,
    precision: Precision::Model,
    finest: FinestLevel::AtOnce,
};

fn chunked(chunk: Chunk) -> DecodeScheme {
    DecodeScheme {
        time: TimeTiling::Chunked(chunk),
        ..DecodeScheme::default()
    }
}

fn one_pass(vae: &Vae, latents: &Tensor) -> Tensor {
    vae.decode(latents, WHOLE)
}

/// Decibels, of frames in [−1, 1].
fn psnr(a: &Tensor, b: &Tensor) -> f64 {
    let error = (a - b).square().mean(Kind::Double).double_value(&[]);
    -10.0 * (error / 4.0).log10()
}

/// How far apart two tensors are at most.
fn apart(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.size(), b.size());
    (a - b).abs().max().double_value(&[])
}

#[test]
fn with_kernels_the_function_is_the_same() {
    let _no_grad = tch::no_grad_guard();
    let vae = Vae::demo(Kind::Float);
    let kernels = Rc::new(Kernels::new(Device::Cpu));
    let fused = Vae::demo(Kind::Float).with_kernels(&kernels);
    let in_steps = |step| DecodeScheme {
        finest: FinestLevel::InSteps(step),
        ..WHOLE
    };
    let exact = DecodeScheme {
        precision: Precision::F32Sums,
        ..DecodeScheme::default()
    };
    for (latent_frames, size) in [(1, SIZES_PX[0]), (2, SIZES_PX[1]), (6, SIZES_PX[0])] {
        let latents = moving_bar(&vae, latent_frames, size);
        for scheme in [
            DecodeScheme::default(),
            WHOLE,
            in_steps(1),
            in_steps(2),
            exact,
        ] {
            let expected = vae.decode(&latents, scheme);
            let found = apart(&fused.decode(&latents, scheme), &expected);
            assert!(found < 1e-5, "{latent_frames} {size:?} {scheme}: {found}");
        }
        let pixels = vae.decode(&latents, WHOLE);
        let [expected, found] = [&vae, &fused].map(|vae| vae.encode(&pixels, SpaceTiling::Whole));
        for (found, expected) in [(found.mean, expected.mean), (found.logvar, expected.logvar)] {
            let found = apart(&found, &expected);
            assert!(found < 1e-4, "{latent_frames} {size:?}: {found}");
        }
    }
}

#[test]
fn with_kernels_half_precision_is_no_farther_from_f32() {
    let _no_grad = tch::no_grad_guard();
    let exact = Vae::demo(Kind::Float);
    let latents = moving_bar(&exact, 3, [16, 24]);
    let expected = exact.decode(&latents, WHOLE);
    let kernels = Rc::new(Kernels::new(Device::Cpu));
    for kind in [Kind::Half, Kind::BFloat16] {
        let latents = latents.to_kind(kind);
        let error = |vae: &Vae| {
            let apart = vae.decode(&latents, WHOLE).to_kind(Kind::Float) - &expected;
            apart.square().mean(Kind::Double).sqrt().double_value(&[])
        };
        let reference = error(&Vae::demo(kind));
        let fused = error(&Vae::demo(kind).with_kernels(&kernels));
        assert!(
            fused < reference,
            "{kind:?}: {fused}, reference {reference}"
        );
    }
}

/// The frame of `whole` that each of `frames` is most like.
fn most_alike(frames: &Tensor, whole: &Tensor) -> Vec<i64> {
    let flat = |x: &Tensor| x.squeeze_dim(0).transpose(0, 1).flatten(1, -1); // (F, 3·H·W)
    let (frames, whole) = (flat(frames), flat(whole));
    let distances = (frames.unsqueeze(1) - whole.unsqueeze(0))
        .square()
        .mean_dim(-1, false, None);
    Vec::try_from(distances.argmin(1, false)).unwrap()
}

#[test]
fn chunks_show_the_same_video_in_the_same_order() {
    let _no_grad = tch::no_grad_guard();
    let vae = Vae::demo(Kind::Float);
    for size in SIZES_PX {
        let latents = moving_bar(&vae, 9, size);
        let whole = one_pass(&vae, &latents);
        assert_eq!(whole.size(), [1, 3, 33, size[0], size[1]]);
        let reference = psnr(&vae.decode(&latents, DecodeScheme::default()), &whole);
        for (chunk, blend) in [
            (1, None),
            (1, Some(0)),
            (2, None),
            (2, Some(16)),
            (5, Some(7)),
            (8, None),
        ] {
            let scheme = chunked(Chunk::new(chunk, blend));
            let frames = vae.decode(&latents, scheme);
            assert_eq!(frames.size(), whole.size(), "{scheme}");
            let likeness = psnr(&frames, &whole);
            assert!(
                likeness > reference - 6.0,
                "{scheme}: {likeness}, reference {reference}"
            );
            let order = most_alike(&frames, &whole);
            let off = order
                .iter()
                .zip(0..)
                .filter(|(found, frame)| (*found - frame).abs() > 1);
            assert_eq!(off.count(), 0, "{scheme}: {order:?}");
        }
        let quality = vae.decode(&latents, chunked(Chunk::of_quality(2, 4)));
        let likeness = psnr(&quality, &whole);
        assert!(likeness > reference, "{likeness}, reference {reference}");
    }
}

#[test]
fn steps_through_the_finest_level_are_nearly_one_pass_and_flicker_nowhere() {
    let _no_grad = tch::no_grad_guard();
    let vae = Vae::demo(Kind::Float);
    for (latent_frames, steps) in [(4, [1, 2]), (9, [1, 5])] {
        let latents = moving_bar(&vae, latent_frames, SIZES_PX[1]);
        let whole = one_pass(&vae, &latents);
        let change = |frames: &Tensor| {
            let count = frames.size()[2];
            let before = frames.narrow(2, 0, count - 1);
            let change = (frames.narrow(2, 1, count - 1) - before).abs();
            change.mean_dim([0_i64, 1, 3, 4].as_slice(), false, Kind::Double)
        };
        for step in steps {
            let scheme = DecodeScheme {
                finest: FinestLevel::InSteps(step),
                ..WHOLE
            };
            let frames = vae.decode(&latents, scheme);
            let likeness = psnr(&frames, &whole);
            assert!(likeness > 42.0, "{scheme}: {likeness}");
            let flicker = (change(&frames) / change(&whole)).max().double_value(&[]);
            assert!(flicker < 1.05, "{scheme}: {flicker}");
        }
        let all = DecodeScheme {
            finest: FinestLevel::InSteps(latent_frames as u8 - 1),
            ..WHOLE
        };
        assert_eq!(vae.decode(&latents, all), whole);
    }
}

/// Memory runs out after some part; the rest is decoded in shorter steps.
#[test]
fn what_is_finished_of_a_piece_in_steps_stays_when_memory_runs_out() {
    let _no_grad = tch::no_grad_guard();
    let vae = Vae::demo(Kind::Float);
    // Steps of 3, 2, 2, 2 and 2 latent frames, twice.
    fails_and_goes_on(&vae, ([8, 8], 11), 6, &[1, 4, 5, 6, 8, 9, 10]);
    // Two tiles, each of steps of 3 and 1, twice, and its end.
    fails_and_goes_on(&vae, ([8, 264], 4), 3, &[1, 3, 4, 5, 7, 9]);
}

/// `second_pass` is the first part of a tile's second pass.
fn fails_and_goes_on(
    vae: &Vae,
    (size, latent_frames): ([i64; 2], i64),
    second_pass: u32,
    failing: &[u32],
) {
    let latents = moving_bar(vae, latent_frames, size);
    let tile = TimeTile::first(latent_frames);
    let decode = |step, finished: &mut FinishedParts, after_part: &mut dyn FnMut()| {
        let scheme = DecodeScheme {
            space: SpaceTiling::Reference,
            finest: FinestLevel::InSteps(step),
            ..WHOLE
        };
        vae.decode_tile(&latents, (&tile, scheme), finished, after_part)
    };
    let parts_of = |step| {
        let mut parts = 0;
        let frames = decode(step, &mut FinishedParts::default(), &mut || parts += 1);
        (frames, parts)
    };
    let (expected, parts) = parts_of(2);
    let (_, parts_again) = parts_of(1);
    let of_tile = 2 * second_pass - 1;
    for failing in failing {
        let (mut finished, mut before) = (FinishedParts::default(), 0);
        let outcome = device::catch(|| {
            let after_part = &mut || {
                before += 1;
                if before == *failing {
                    let _too_much = Tensor::empty([1 << 50], (Kind::Float, Device::Cpu));
                }
            };
            Ok(decode(2, &mut finished, after_part))
        });
        assert!(outcome.unwrap_err().is_out_of_memory(), "{failing}");
        assert!(!finished.is_empty() || *failing < second_pass);
        finished.leave_device();
        let mut again = 0;
        let frames = decode(1, &mut finished, &mut || again += 1);
        let likeness = psnr(&frames, &expected);
        let in_tile = (failing - 1) % of_tile + 1;
        let is_last_tile = failing + of_tile > parts;
        // What the first pass gathers depends a little on its steps.
        let exact = is_last_tile && in_tile >= second_pass;
        let least = if exact { 100.0 } else { 45.0 };
        assert!(likeness > least, "{size:?}, {failing}: {likeness}");
        let spared = if in_tile >= second_pass {
            latent_frames - 1
        } else {
            0
        };
        assert!(
            again <= parts_again - spared as u32,
            "{size:?}, {failing}: {again}"
        );
    }
}

#[test]
fn samples_that_are_decoded_in_steps_do_not_depend_on_each_other() {
    let _no_grad = tch::no_grad_guard();
    let vae = Vae::demo(Kind::Float);
    let latents = moving_bar(&vae, 4, [32, 32]);
    let scheme = DecodeScheme {
        finest: FinestLevel::InSteps(1),
        ..WHOLE
    };
    let samples = Tensor::cat(&[&latents, &latents.flip([4])], 0);
    let first = vae.decode(&samples, scheme).narrow(0, 0, 1);
    let likeness = psnr(&first, &vae.decode(&latents, scheme));
    assert!(likeness > 80.0, "{likeness}");
}

#[test]
fn a_chunk_as_long_as_the_video_is_one_pass_and_a_later_past_changes_nothing() {
    let _no_grad = tch::no_grad_guard();
    let vae = Vae::demo(Kind::Float);
    let latents = moving_bar(&vae, 4, SIZES_PX[0]);
    let whole = one_pass(&vae, &latents);
    // Up to four latents the reference has one tile, too.
    assert_eq!(vae.decode(&latents, DecodeScheme::default()), whole);
    assert_eq!(vae.decode(&latents, chunked(Chunk::new(2, None))), whole);
    let single = vae.decode(&latents.narrow(2, 0, 1), chunked(Chunk::new(1, None)));
    assert_eq!(single.size()[2], 1);
}

#[test]
fn tiles_in_space_and_chunks_go_together() {
    let _no_grad = tch::no_grad_guard();
    let vae = Vae::demo(Kind::Float);
    let latents = moving_bar(&vae, 4, [64, 264]);
    let scheme = chunked(Chunk::new(1, None));
    let whole_frames = vae.decode(&latents, scheme);
    let tiled = DecodeScheme {
        space: SpaceTiling::Reference,
        ..scheme
    };
    let tiled = vae.decode(&latents, tiled);
    assert_eq!(tiled.size(), whole_frames.size());
    assert!(tiled != whole_frames, "a frame wider than a tile is cut");
    let likeness = psnr(&tiled, &whole_frames);
    assert!(likeness > 20.0, "{likeness}");
    // The left part of the first tile has no neighbour yet.
    let order = most_alike(&tiled, &whole_frames);
    assert_eq!(order, (0..13).collect::<Vec<_>>());
}

#[test]
fn the_demo_stays_in_the_range_of_f16() {
    let _no_grad = tch::no_grad_guard();
    let (exact, half) = (Vae::demo(Kind::Float), Vae::demo(Kind::Half));
    let picture = moving_bar(&exact, 1, [16, 16]);
    let expected = one_pass(&exact, &picture);
    let frames = one_pass(&half, &picture.to_kind(Kind::Half));
    assert!(psnr(&frames.to_kind(Kind::Float), &expected) > 45.0);
}

#[test]
fn sums_in_f32_are_nearer_to_f32_than_the_weights_type() {
    let _no_grad = tch::no_grad_guard();
    let (exact, rounded) = (Vae::demo(Kind::Float), Vae::demo(Kind::BFloat16));
    let latents = moving_bar(&exact, 2, [32, 32]);
    let expected = one_pass(&exact, &latents);
    let of = |precision| {
        let scheme = DecodeScheme {
            precision,
            ..DecodeScheme::default()
        };
        rounded.decode(&latents.to_kind(Kind::BFloat16), scheme)
    };
    let (native, sums) = (of(Precision::Model), of(Precision::F32Sums));
    assert_eq!((native.kind(), sums.kind()), (Kind::BFloat16, Kind::Float));
    let [native, sums] = [native, sums].map(|frames| psnr(&frames.to_kind(Kind::Float), &expected));
    assert!(
        sums > native,
        "{sums} dB with f32 sums, {native} dB without"
    );
    // Where everything is f32 there is nothing to gain, and nothing changes.
    let scheme = DecodeScheme {
        precision: Precision::F32Sums,
        ..DecodeScheme::default()
    };
    assert_eq!(exact.decode(&latents, scheme), expected);
}
