//! Tiles along time: which latents are decoded together, and what of the frames is used. Pure arithmetic.
//!
//! A tile of m latents becomes 4m−3 frames, the first of which stands for a latent that nothing came before.

use std::ops::Range;

use tch::Tensor;

use super::{axis::TIME, chunk::Chunk};
use crate::section::FRAMES_PER_LATENT;

// Constants of the upstream class and not of its configuration.
const REFERENCE_LATENTS: i64 = 4;
const REFERENCE_STRIDE: i64 = 3;
const REFERENCE_BLEND: i64 = 4;
const ENCODED_FRAMES: i64 = 16;
const ENCODED_STRIDE: i64 = 12;

/// How latents are cut along time to be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeTiling {
    /// As diffusers does: five latents every three, whose first frame is dropped and the next four fade in.
    #[default]
    Reference,
    /// Chunk by chunk.
    Chunked(Chunk),
    /// All together.
    Whole,
}

/// A tile: what goes in together, and what of its result is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TimeTile {
    /// Positions of the input.
    pub(crate) input: Range<i64>,
    /// Results at its start that are not used.
    pub(in crate::vae) dropped: i64,
    /// Results after those that fade from the last ones of the tile before.
    pub(super) faded: i64,
}

impl TimeTile {
    /// The first tile, of so many positions.
    pub(in crate::vae) fn first(length: i64) -> Self {
        Self {
            input: 0..length,
            dropped: 0,
            faded: 0,
        }
    }

    /// Positions of its input.
    pub(crate) fn length(&self) -> i64 {
        self.input.end - self.input.start
    }

    /// Its part of an input, (B, C, T, H, W).
    pub(crate) fn of(&self, input: &Tensor) -> Tensor {
        input.narrow(TIME, self.input.start, self.length())
    }
}

impl TimeTiling {
    /// All tiles of so many latents.
    pub(crate) fn tiles(self, latents: i64) -> Vec<TimeTile> {
        self.rest(latents, 0, 0)
    }

    /// The tiles that are missing where the first `done` latents are decoded, and whose last `open` frames can still be
    /// faded from.
    pub(crate) fn rest(self, latents: i64, done: i64, open: i64) -> Vec<TimeTile> {
        match self {
            Self::Reference => {
                let tiles = reference(latents);
                let is_border = done == 0 || tiles.iter().any(|tile| tile.input.end == done);
                if !is_border {
                    let alike = Chunk::like_reference(REFERENCE_STRIDE as u8);
                    return chunked(alike, latents, done, open);
                }
                let tiles = tiles.into_iter();
                tiles.filter(|tile| tile.input.end > done).collect()
            }
            Self::Chunked(chunk) => chunked(chunk, latents, done, open),
            Self::Whole => whole(latents, done),
        }
    }

    /// Of the tiles of `these` latents, the inputs of those that are also tiles of `next`, which come afterwards; both are
    /// positions in one video.
    pub(crate) fn recurring(self, these: &Range<i64>, next: &Range<i64>) -> Vec<Range<i64>> {
        let tiles_of = |latents: &Range<i64>| self.tiles(latents.end - latents.start);
        let shift = these.start - next.start;
        let next: Vec<_> = tiles_of(next).into_iter().map(|tile| tile.input).collect();
        let inputs = tiles_of(these).into_iter().map(|tile| tile.input);
        inputs
            .filter(|input| next.contains(&(input.start + shift..input.end + shift)))
            .collect()
    }

    /// Most latents that are decoded together.
    pub(crate) fn longest(self) -> i64 {
        match self {
            Self::Reference => REFERENCE_LATENTS + 1,
            Self::Chunked(chunk) => chunk.length(),
            Self::Whole => i64::MAX,
        }
    }
}

/// Tiles of pixels to be encoded, as diffusers does: 17 frames every twelve, whose first latent is dropped.
pub(in crate::vae) fn encode_tiles(frames: i64) -> Vec<TimeTile> {
    if frames <= ENCODED_FRAMES {
        return vec![TimeTile::first(frames)];
    }
    let overlap = (ENCODED_FRAMES - ENCODED_STRIDE) / FRAMES_PER_LATENT;
    overlapping(frames, (ENCODED_FRAMES, ENCODED_STRIDE), overlap)
}

fn reference(latents: i64) -> Vec<TimeTile> {
    if latents <= REFERENCE_LATENTS {
        return vec![TimeTile::first(latents)];
    }
    overlapping(
        latents,
        (REFERENCE_LATENTS, REFERENCE_STRIDE),
        REFERENCE_BLEND,
    )
}

/// A tile of `tile` + 1 positions every `stride`. All but the first begin with one that only gives the causal layers
/// their past.
fn overlapping(length: i64, (tile, stride): (i64, i64), faded: i64) -> Vec<TimeTile> {
    let starts = (0..length).step_by(stride as usize);
    let tiles = starts.map(|start| TimeTile {
        input: start..length.min(start + tile + 1),
        dropped: i64::from(start > 0),
        faded: if start > 0 { faded } else { 0 },
    });
    let is_past_only =
        |tile: &TimeTile| tile.input.start > 0 && tile.input.end - tile.input.start == 1;
    tiles.filter(|tile| !is_past_only(tile)).collect()
}

/// One tile, with a latent of the past where there is one.
fn whole(latents: i64, done: i64) -> Vec<TimeTile> {
    let past = done.min(1);
    let tile = TimeTile {
        input: done - past..latents,
        dropped: past,
        faded: 0,
    };
    if done < latents { vec![tile] } else { vec![] }
}

/// Tiles of one length: the last one reaches further back instead of being shorter.
fn chunked(chunk: Chunk, latents: i64, mut done: i64, mut open: i64) -> Vec<TimeTile> {
    let (new, length) = (i64::from(chunk.latent_frames()), chunk.length());
    let mut tiles = vec![];
    while done < latents {
        let end = latents.min(if done == 0 { length } else { done + new });
        let start = (end - length).max(0);
        // Latent l of the video begins at frame 4l−3; the tile's frame j is the video's 4·start+j.
        let known = if done == 0 {
            0
        } else {
            FRAMES_PER_LATENT * (done - start) - 3
        };
        let faded = i64::from(chunk.blend_frames()).min(open);
        tiles.push(TimeTile {
            input: start..end,
            dropped: known - faded,
            faded,
        });
        open = FRAMES_PER_LATENT * (end - start) - 3 - (known - faded);
        done = end;
    }
    tiles
}

#[cfg(test)]
mod tests;
