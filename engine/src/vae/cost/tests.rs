//! Planned against measured memory, and what is computed.

use std::cell::Cell;

use tch::{Device, Tensor};

use super::*;
use crate::vae::{
    scheme::FinestLevel,
    tiles::{Chunk, SpaceTiling, TimeTiling, over_space},
};

fn decoding(config: &Config, latent_frames: u64, space: SpaceTiling) -> DecodeCost<'_> {
    DecodeCost {
        config,
        kind: Kind::Half,
        size_px: [608, 640],
        latent_frames,
        scheme: space.into(),
        kernels: KernelUse::Off,
    }
}

/// What an H100 measured, weights and context aside, in f16.
#[test]
fn the_measured_decodes_are_predicted() {
    use FinestLevel::{AtOnce, InSteps};
    use Precision::{F32Sums, Model};
    use SpaceTiling::{Reference, Whole};
    let config = Config::published();
    let section = |latent_frames| TimeTiling::Chunked(Chunk::of_quality(latent_frames, 6));
    for (latent_frames, time, space, precision, finest, measured_mb) in [
        (1, TimeTiling::Reference, Whole, Model, AtOnce, 1_984.0),
        (2, TimeTiling::Reference, Whole, Model, AtOnce, 6_325.0),
        (4, TimeTiling::Reference, Whole, Model, AtOnce, 14_567.0),
        (9, TimeTiling::Reference, Whole, Model, AtOnce, 18_763.0),
        (18, TimeTiling::Reference, Whole, Model, AtOnce, 18_826.0),
        (9, TimeTiling::Reference, Reference, Model, AtOnce, 3_417.0),
        (18, TimeTiling::Reference, Reference, Model, AtOnce, 3_542.0),
        (9, section(9), Whole, Model, AtOnce, 37_822.0),
        (9, section(9), Whole, F32Sums, AtOnce, 44_072.0),
        (18, section(18), Whole, Model, InSteps(1), 19_368.0),
        (18, section(18), Reference, Model, InSteps(1), 3_849.0),
        (9, section(9), Whole, Model, InSteps(4), 23_268.0),
        (9, section(9), Reference, Model, InSteps(2), 2_580.0),
        (9, section(9), Whole, F32Sums, InSteps(2), 17_917.0),
        (9, section(9), Reference, F32Sums, InSteps(4), 4_984.0),
        (18, section(18), Reference, F32Sums, InSteps(4), 5_750.0),
        (18, section(18), Whole, F32Sums, InSteps(8), 52_272.0),
        (18, section(8), Reference, F32Sums, InSteps(1), 3_535.0),
    ] {
        let decoding = DecodeCost {
            scheme: DecodeScheme {
                time,
                space,
                precision,
                finest,
            },
            ..decoding(&config, latent_frames, space)
        };
        let megabytes = decoding.working_bytes() as f64 / 1e6;
        let ratio = megabytes / measured_mb;
        assert!(
            (0.97..1.15).contains(&ratio),
            "{latent_frames} {}: {megabytes}, measured {measured_mb}",
            decoding.scheme
        );
    }
}

#[test]
fn spatial_tiles_bound_the_size() {
    let config = Config::published();
    let growth = |tiling| {
        let small = decoding(&config, 5, tiling);
        let large = DecodeCost {
            size_px: [1216, 640],
            ..small
        };
        large.working_bytes() as f64 / small.working_bytes() as f64
    };
    assert!(growth(SpaceTiling::Whole) > 1.99);
    assert!(growth(SpaceTiling::Reference) < 1.03);
}

#[test]
fn the_largest_piece_that_tiling_makes_is_counted() {
    let config = Config::published();
    let [height, width, frames] = [76, 80, 50];
    let latents = |size: [i64; 3]| {
        let [t, h, w] = size;
        Tensor::zeros([1, 1, t, h, w], (Kind::Float, Device::Cpu))
    };
    let largest = Cell::new([0; 3]);
    let decode = |piece: &Tensor| {
        let size = piece.size();
        let size = [size[2], size[3], size[4]];
        let before = largest.get();
        largest.set([0, 1, 2].map(|axis| size[axis].max(before[axis])));
        let [t, h, w] = size;
        latents([pixel_frames(t), 8 * h, 8 * w])
    };
    let whole = latents([frames, height, width]);
    let size_px = [8 * height, 8 * width];
    let scheme = DecodeScheme::from(SpaceTiling::Reference);
    for tile in scheme.time.tiles(frames) {
        let tiles = scheme.space.decode_cut(8).unwrap();
        let _ = over_space(&tile.of(&whole), tiles, size_px, decode);
    }
    let beside_the_video = |size: [i64; 3], space: SpaceTiling| {
        let [t, h, w] = size.map(i64::unsigned_abs);
        let decoding = DecodeCost {
            config: &config,
            kind: Kind::Half,
            size_px: [8 * w, 8 * h],
            latent_frames: t,
            scheme: space.into(),
            kernels: KernelUse::Off,
        };
        let copies = 1 + u64::from(decoding.tile_px() != decoding.size_px);
        decoding.allocated_bytes() - copies * decoding.video_bytes()
    };
    assert_eq!(
        beside_the_video([frames, height, width], SpaceTiling::Reference),
        beside_the_video(largest.get(), SpaceTiling::Whole)
    );
}

fn in_chunks(chunk: Chunk, precision: Precision) -> DecodeScheme {
    DecodeScheme {
        finest: FinestLevel::AtOnce,
        time: TimeTiling::Chunked(chunk),
        space: SpaceTiling::Whole,
        precision,
    }
}

#[test]
fn chunk_1_takes_less_than_a_third_of_one_pass() {
    let config = Config::published();
    let of = |chunk| DecodeCost {
        scheme: in_chunks(chunk, Precision::Model),
        ..decoding(&config, 18, SpaceTiling::Whole)
    };
    let whole = of(Chunk::of_quality(18, 1)).working_bytes();
    let ratio = of(Chunk::new(1, None)).working_bytes() as f64 / whole as f64;
    assert!(ratio < 0.25, "{ratio}");
    let sizes: Vec<u64> = (1..=8)
        .map(|chunk| of(Chunk::new(chunk, None)).working_bytes())
        .collect();
    assert!(
        sizes.is_sorted_by(|smaller, larger| smaller < larger),
        "{sizes:?}"
    );
}

#[test]
fn steps_take_less_than_a_third_of_one_pass() {
    let config = Config::published();
    let of = |finest| DecodeCost {
        scheme: DecodeScheme {
            finest,
            ..in_chunks(Chunk::of_quality(18, 6), Precision::Model)
        },
        ..decoding(&config, 18, SpaceTiling::Whole)
    };
    let whole = of(FinestLevel::AtOnce).working_bytes();
    let sizes = [1, 2, 4, 8].map(|step| of(FinestLevel::InSteps(step)).working_bytes());
    assert!(10 * sizes[0] < 3 * whole, "{sizes:?} of {whole}");
    assert!(sizes.is_sorted(), "{sizes:?}");
    // Steps as long as the section are none.
    assert_eq!(of(FinestLevel::InSteps(17)).working_bytes(), whole);
}

#[test]
fn work_counts_what_tiles_have_in_common() {
    let config = Config::published();
    let reference = decoding(&config, 18, SpaceTiling::Whole);
    let pixels = 608 * 640;
    assert_eq!(reference.work(), (5 * 17 + 9) * pixels);
    let chunk_1 = DecodeCost {
        scheme: in_chunks(Chunk::new(1, None), Precision::Model),
        ..reference
    };
    assert_eq!(chunk_1.work(), 15 * 13 * pixels);
    let whole = DecodeCost {
        scheme: in_chunks(Chunk::of_quality(18, 6), Precision::F32Sums),
        ..reference
    };
    assert_eq!(whole.work(), 69 * pixels);
    let in_steps = DecodeCost {
        scheme: DecodeScheme {
            finest: FinestLevel::InSteps(1),
            ..whole.scheme
        },
        ..reference
    };
    let again = in_steps.work() as f64 / whole.work() as f64 - 1.0;
    assert!((0.57..0.62).contains(&again), "{again}");
    let tiled = decoding(&config, 18, SpaceTiling::Reference);
    let side = |latents: u64| latents * 8;
    let (width, height) = (side(32 + 32 + 28 + 4), side(32 + 32 + 32 + 8));
    assert_eq!(tiled.work(), (5 * 17 + 9) * width * height);
    // What fits a tile is not cut.
    let small = DecodeCost {
        size_px: [256, 128],
        ..tiled
    };
    assert_eq!(small.work(), (5 * 17 + 9) * 256 * 128);
}
