//! No frame is lost, doubled or out of place, whatever the chunk.

use super::*;
use crate::section::{SectionOrder, SectionPlan};

/// Frames that so many latents become.
fn frames_of(latents: i64) -> i64 {
    FRAMES_PER_LATENT * latents - 3
}

/// The video's frames of a tile that are used: where they begin, how many fade, and where they end.
fn used(tile: &TimeTile) -> (i64, i64, i64) {
    let first = FRAMES_PER_LATENT * tile.input.start; // the video's frame of the tile's first
    let begin = first + tile.dropped;
    (begin, tile.faded, first + frames_of(tile.length()))
}

/// Every frame comes once, in order, and is faded from the same moment.
#[track_caller]
fn assert_complete(tiles: &[TimeTile], latents: i64, mut end: i64, what: &str) {
    for tile in tiles {
        let (begin, faded, next_end) = used(tile);
        assert_eq!(begin + faded, end, "{what}: {tile:?}");
        assert!(
            tile.input.start == 0 || tile.dropped > 0,
            "{what}: {tile:?}"
        );
        assert!(next_end > end || faded > 0, "{what}: {tile:?}");
        end = next_end;
    }
    assert_eq!(end, frames_of(latents), "{what}");
}

fn all_chunks() -> impl Iterator<Item = Chunk> {
    let asked = (1..=8).flat_map(|latent_frames| {
        let blends = [None].into_iter().chain((0..=16).map(Some));
        blends.flat_map(move |blend| {
            let chunk = Chunk::new(latent_frames, blend);
            [chunk, chunk.lean(), Chunk::like_reference(latent_frames)]
        })
    });
    let quality = (1..=40).flat_map(|latent_frames| {
        (2..=6).map(move |context| Chunk::of_quality(latent_frames, context))
    });
    asked.chain(quality)
}

#[test]
fn a_whole_section_is_one_tile() {
    for latents in [1, 9, 255, 300] {
        let tiles = TimeTiling::Whole.tiles(latents);
        assert_eq!(tiles, [TimeTile::first(latents)]);
        assert_complete(&tiles, latents, 0, "whole");
    }
}

#[test]
fn every_length_has_all_its_frames_in_every_chunk_and_overlap() {
    for chunk in all_chunks() {
        for latents in 1..=40 {
            let tiles = TimeTiling::Chunked(chunk).tiles(latents);
            let what = format!("{latents} in {chunk:?}");
            assert_complete(&tiles, latents, 0, &what);
            let new = i64::from(chunk.latent_frames());
            let mut done = 0;
            for (number, tile) in tiles.iter().enumerate() {
                let is_whole = tile.length() == latents;
                assert!(
                    is_whole || tile.length() == chunk.length(),
                    "{what}: {tile:?}"
                );
                assert!(
                    number == 0 || tile.input.end - done <= new,
                    "{what}: {tile:?}"
                );
                assert!(
                    number == 0 || tile.faded == i64::from(chunk.blend_frames()),
                    "{what}"
                );
                done = tile.input.end;
            }
        }
    }
}

#[test]
fn every_length_has_all_its_frames_in_the_references_tiles() {
    for latents in 1..=40 {
        let tiles = TimeTiling::Reference.tiles(latents);
        // A last tile that is all fade adds no frame.
        let mut end = 0;
        for tile in &tiles {
            let (begin, faded, next_end) = used(tile);
            assert_eq!(
                begin,
                if tile.input.start == 0 {
                    0
                } else {
                    FRAMES_PER_LATENT * tile.input.start + 1
                }
            );
            assert!(
                begin + faded.min(next_end - begin) <= end.max(1),
                "{latents}: {tile:?}"
            );
            end = next_end;
        }
        assert_eq!(end, frames_of(latents), "{latents}");
    }
    let lengths = |latents| -> Vec<i64> {
        let tiles = TimeTiling::Reference.tiles(latents);
        tiles.iter().map(TimeTile::length).collect()
    };
    assert_eq!(lengths(4), [4]);
    assert_eq!(lengths(5), [5, 2]);
    assert_eq!(lengths(9), [5, 5, 3]);
    assert_eq!(lengths(10), [5, 5, 4]);
    assert_eq!(lengths(18), [5, 5, 5, 5, 5, 3]);
    assert_eq!(lengths(19), [5, 5, 5, 5, 5, 4]);
}

/// After each tile of any way of cutting, any other way goes on without a gap.
#[test]
fn what_is_missing_can_be_cut_otherwise() {
    let before = all_chunks().step_by(7).map(TimeTiling::Chunked);
    for first in before.chain([TimeTiling::Reference]) {
        let seconds = (1..=4).map(|chunk| Chunk::new(chunk, Some(4 * (chunk - 1))));
        for second in seconds
            .map(TimeTiling::Chunked)
            .chain([TimeTiling::Whole, TimeTiling::Reference])
        {
            for latents in [5, 9, 18, 19, 33] {
                for done in first.tiles(latents) {
                    let (begin, _, end) = used(&done);
                    let rest = second.rest(latents, done.input.end, end - begin);
                    let what = format!("{latents}: {first:?}, after {done:?} {second:?}");
                    assert_complete(&rest, latents, end, &what);
                    assert!(
                        rest.iter()
                            .all(|tile| tile.faded <= end - begin || tile != &rest[0])
                    );
                }
            }
        }
    }
}

#[test]
fn the_reference_goes_on_where_it_stopped() {
    let all = TimeTiling::Reference.tiles(18);
    for (number, tile) in all.iter().enumerate() {
        let rest = TimeTiling::Reference.rest(18, tile.input.end, 16);
        assert_eq!(rest, all[number + 1..]);
    }
}

/// Inputs of the tiles of each section but the last that the next section has again.
fn recurring(order: SectionOrder, sections: u32, time: TimeTiling) -> Vec<Vec<Range<i64>>> {
    let plan = SectionPlan::new(order, sections, 9);
    let decoded = |index: u32| plan.decoded(index as usize);
    let pairs = (1..sections).map(|next| (decoded(next - 1), decoded(next)));
    pairs
        .map(|(these, next)| time.recurring(&these, &next))
        .collect()
}

#[test]
fn neighbouring_sections_have_tiles_in_common() {
    use SectionOrder::{Backward, Forward};
    let time = TimeTiling::Reference;
    // The first section ends where the second one does; the last one begins one latent frame earlier than a window.
    assert_eq!(
        recurring(Backward, 4, time),
        [vec![0..5, 3..8, 6..9], vec![0..5, 3..8], vec![]]
    );
    // The first section begins with the start image's latent.
    assert_eq!(
        recurring(Forward, 4, time),
        [vec![], vec![9..14, 12..17], vec![9..14, 12..17]]
    );
    for order in [Backward, Forward] {
        assert!(recurring(order, 1, time).is_empty());
        let whole = recurring(order, 4, TimeTiling::Whole);
        assert!(whole.iter().all(Vec::is_empty), "{order:?}: {whole:?}");
    }
    // Three new latent frames behind three: every three latent frames, too.
    let chunks = TimeTiling::Chunked(Chunk::new(3, None));
    assert_eq!(recurring(Backward, 4, chunks)[1], [0..6, 3..9]);
    assert_eq!(recurring(Forward, 4, chunks)[1], [9..15, 12..18]);
}

#[test]
fn the_past_is_long_enough_for_the_cross_fade() {
    for (blend, context) in [
        (None, 3),
        (Some(0), 3),
        (Some(4), 3),
        (Some(5), 3),
        (Some(16), 5),
    ] {
        let chunk = Chunk::new(2, blend);
        assert_eq!(chunk.context_latent_frames(), context, "{blend:?}");
    }
    for (blend, context) in [(Some(0), 1), (Some(4), 2), (Some(5), 3)] {
        let chunk = Chunk::new(2, blend).lean();
        assert_eq!(chunk.context_latent_frames(), context, "{blend:?}");
    }
    assert_eq!(Chunk::of_quality(8, 2).blend_frames(), 4);
    assert_eq!(Chunk::of_quality(8, 6).blend_frames(), 8);
}

#[test]
fn pixels_are_encoded_as_upstream_does() {
    for frames in 1..=120 {
        let tiles = encode_tiles(frames);
        let latents = |frames: i64| (frames - 1) / FRAMES_PER_LATENT + 1;
        // A tile's result, less what fades into the next.
        let total: i64 = tiles
            .iter()
            .enumerate()
            .map(|(number, tile)| {
                let used = latents(tile.length()) - tile.dropped;
                let next = tiles.get(number + 1);
                used - next.map_or(0, |next| {
                    next.faded.min(latents(next.length()) - next.dropped)
                })
            })
            .sum();
        assert_eq!(total, latents(frames), "{frames}");
    }
}
