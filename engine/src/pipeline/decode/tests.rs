//! Pieces that fail for want of memory.

use tch::{Device, Kind};

use super::*;
use crate::{
    device,
    vae::{Chunk, FinestLevel},
};

/// Frames with the numbers of the latents that they are of.
fn numbered(tile: &TimeTile) -> Tensor {
    let latents =
        Tensor::arange_start(tile.input.start, tile.input.end, (Kind::Float, Device::Cpu));
    let others = latents.narrow(0, 1, tile.length() - 1);
    let others = others.repeat_interleave_self_int(4, 0, None);
    Tensor::cat(&[latents.narrow(0, 0, 1), others], 0).view([1, 1, -1, 1, 1])
}

/// Every tile of every way of cutting fails once; what was decoded before it is not decoded again.
#[test]
fn the_tile_that_fails_is_repeated_smaller_and_finished_ones_stay() {
    let chunks = [1, 3, 8].map(|chunk| TimeTiling::Chunked(Chunk::new(chunk, None)));
    let whole = numbered(&TimeTiling::Whole.tiles(19)[0]);
    for time in chunks.into_iter().chain([TimeTiling::Reference]) {
        for (failing, tile) in (0..).zip(time.tiles(19)) {
            let mut decoding = Decoding::default();
            let mut decoded = vec![];
            let outcome = device::catch(|| {
                decoding.join(19, time, |number, tile, _| {
                    if number == failing {
                        let _too_much = Tensor::empty([1 << 50], (Kind::Float, Device::Cpu));
                    }
                    decoded.push(tile.input.clone());
                    Ok(numbered(tile))
                })
            });
            assert!(outcome.unwrap_err().is_out_of_memory());
            assert_eq!(decoded.len(), failing as usize);
            let done = decoded.last().map_or(0, |input| input.end);
            decoding.leave_device();

            let smaller = TimeTiling::Chunked(Chunk::like_reference(1));
            let mut first = true;
            let frames = decoding.join(19, smaller, |number, again, _| {
                if first {
                    assert_eq!(number, failing);
                    assert!(again.length() < tile.length());
                    first = false;
                }
                assert!(again.input.end > done, "{time:?}: {again:?} after {done}");
                Ok(numbered(again))
            });
            let frames = frames.unwrap();
            assert!(
                frames.allclose(&whole, 1e-5, 1e-5, false),
                "{time:?}, tile {failing}"
            );
        }
    }
}
/// A section begins in steps, and after memory ran out goes on in pieces.
#[test]
fn what_is_finished_in_steps_is_the_first_piece_of_a_section_that_goes_on_in_pieces() {
    let _no_grad = tch::no_grad_guard();
    let vae = Vae::demo(Kind::Float);
    // Not drawn: libtorch has one generator for all threads, and a test of the noise may be running.
    let latents = Tensor::arange(16 * 8 * 4, (Kind::Float, Device::Cpu)).sin();
    let latents = latents.view([1, 16, 8, 2, 2]);
    let in_steps = DecodeScheme {
        time: TimeTiling::Whole,
        finest: FinestLevel::InSteps(2),
        ..DecodeScheme::default()
    };
    let whole = vae.decode(&latents, in_steps);
    let mut decoding = Decoding::default();
    let mut parts = 0;
    let outcome = device::catch(|| {
        decoding.join(8, in_steps.time, |_, tile, finished| {
            // Behind steps up to latent frames 3, 5, 7 and 8, the second one of the second pass.
            Ok(
                vae.decode_tile(&latents, (tile, in_steps), finished, &mut || {
                    parts += 1;
                    if parts == 6 {
                        let _too_much = Tensor::empty([1 << 50], (Kind::Float, Device::Cpu));
                    }
                }),
            )
        })
    });
    assert!(outcome.unwrap_err().is_out_of_memory());
    assert!(decoding.is_begun());
    decoding.leave_device();

    let in_pieces = DecodeScheme {
        time: TimeTiling::Chunked(Chunk::new(1, None)),
        ..DecodeScheme::default()
    };
    decoding.keep_first_piece(in_pieces);
    let mut starts = vec![];
    let frames = decoding.join(8, in_pieces.time, |_, tile, finished| {
        starts.push(tile.input.end - 1);
        Ok(vae.decode_tile(&latents, (tile, in_pieces), finished, &mut || {}))
    });
    assert_eq!(starts, [5, 6, 7]);
    let frames = frames.unwrap();
    assert_eq!(frames.size(), whole.size());
    // The next piece may fade into the last frames.
    let [first, expected] = [&frames, &whole].map(|frames| frames.narrow(2, 0, 17 - 4));
    assert!(first.allclose(&expected, 1e-6, 1e-6, false));
}

#[test]
fn joining_is_tried_once_more_and_only_where_nothing_else_is_missing() {
    let _no_grad = tch::no_grad_guard();
    let mut decoding = Decoding {
        latent_frames: Some(9),
        ..Decoding::default()
    };
    assert!(!decoding.may_join_again());
    let tiles = TimeTiling::Reference.tiles(9);
    for tile in &tiles {
        decoding.joined.push(tile, &numbered(tile));
        assert_eq!(decoding.may_join_again(), tile == &tiles[tiles.len() - 1]);
    }
    assert!(!decoding.may_join_again(), "memory would run out again");
}
