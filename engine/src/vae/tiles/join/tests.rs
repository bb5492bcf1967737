//! Tiles that agree join without a trace, and what fades fades in the right place.

use super::*;
use crate::vae::tiles::{chunk::Chunk, time::TimeTiling};

/// Each latent frame becomes four frames with its value, the first one frame.
fn repeat_frames(latents: &Tensor) -> Tensor {
    let frames = latents.size()[2];
    let first = latents.narrow(2, 0, 1);
    let others = latents.narrow(2, 1, frames - 1);
    Tensor::cat(&[first, others.repeat_interleave_self_int(4, 2, None)], 2)
}

/// Not drawn: libtorch has one generator for all threads, and a test of the noise may be running.
fn different_numbers(shape: [i64; 5]) -> Tensor {
    let count = shape.iter().product::<i64>();
    Tensor::arange(count, (Kind::Float, Device::Cpu))
        .sin()
        .view(shape)
}

fn joined(latents: &Tensor, time: TimeTiling) -> Tensor {
    let mut joined = Joined::default();
    for tile in time.tiles(latents.size()[2]) {
        joined.push(&tile, &repeat_frames(&tile.of(latents)));
    }
    joined.whole()
}

#[test]
fn tiles_that_agree_join_without_a_trace() {
    for frames in 1..=24 {
        let latents = different_numbers([1, 2, frames, 1, 1]);
        let whole = repeat_frames(&latents);
        let chunks =
            (1..=8).flat_map(|chunk| [None, Some(0), Some(7)].map(|b| Chunk::new(chunk, b)));
        let chunked = chunks.map(TimeTiling::Chunked);
        for time in chunked.chain([TimeTiling::Reference]) {
            let joined = joined(&latents, time);
            assert_eq!(joined.size(), whole.size(), "{frames} frames, {time:?}");
            assert!(
                joined.allclose(&whole, 1e-6, 1e-6, false),
                "{frames} frames, {time:?}"
            );
        }
    }
}

/// Tile i has value i: its frames come after those of the tile before, and fade in over the frames asked for.
#[test]
fn chunks_come_in_the_order_of_time_and_fade_over_what_is_asked_for() {
    let time = TimeTiling::Chunked(Chunk::like_reference(2));
    let mut joined = Joined::default();
    for (number, tile) in time.tiles(8).iter().enumerate() {
        let frames = 4 * tile.length() - 3;
        let value = number as f64;
        joined.push(
            tile,
            &Tensor::full([1, 1, frames, 1, 1], value, (Kind::Float, Device::Cpu)),
        );
    }
    let values = Vec::<f64>::try_from(joined.whole().flatten(0, 4)).unwrap();
    let mut expected = vec![0.0; 9];
    expected.extend([0.0, 0.25, 0.5, 0.75]); // 13 frames of the first four latents, the last of them faded
    expected.extend([1.0; 4]);
    expected.extend([1.0, 1.25, 1.5, 1.75]);
    expected.extend([2.0; 8]);
    assert_eq!(values, expected);
}

#[test]
fn what_is_joined_survives_the_way_to_the_host_and_another_way_of_cutting() {
    let latents = different_numbers([1, 2, 18, 1, 1]);
    let mut joined = Joined::default();
    for tile in &TimeTiling::Reference.tiles(18)[..3] {
        joined.push(tile, &repeat_frames(&tile.of(&latents)));
    }
    joined.leave_device();
    assert_eq!((joined.input_done(), joined.open()), (11, 16));
    let rest = TimeTiling::Chunked(Chunk::new(1, None));
    for tile in rest.rest(18, joined.input_done(), joined.open()) {
        assert!(tile.input.end > 11);
        joined.push(&tile, &repeat_frames(&tile.of(&latents)));
    }
    assert!(
        joined
            .whole()
            .allclose(&repeat_frames(&latents), 1e-6, 1e-6, false)
    );
}

#[test]
fn a_blend_starts_with_the_one_and_ends_before_the_other() {
    let previous = Tensor::full([1, 1, 6, 1, 1], 1.0, (Kind::Half, Device::Cpu));
    let next = Tensor::full([1, 1, 5, 1, 1], 3.0, (Kind::Half, Device::Cpu));
    blend(&previous, &next, 2, 4);
    assert_eq!(
        Vec::<f64>::try_from(next.flatten(0, 4)).unwrap(),
        [1.0, 1.5, 2.0, 2.5, 3.0]
    );
}
