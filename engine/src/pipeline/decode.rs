//! A section's latents to frames, piece by piece: what is decoded stays when memory runs out, and the rest is decoded
//! in smaller pieces.

use std::time::Instant;

use tch::Tensor;

use crate::{
    checkpoint::{DecodedSection, KeptFrames, Provenance, SLOW},
    error::Error,
    progress::ProgressReporter,
    vae::{DecodeScheme, Joined, TimeTile, TimeTiling, Vae},
};

/// The pieces of one section that are decoded.
#[derive(Debug, Default)]
pub(super) struct Decoding {
    joined: Joined,
    pieces: u32,
}

/// Where the pieces of a section are kept, and who hears of them.
pub(super) struct Pieces<'a, 'j> {
    pub(super) of: DecodedSection<'a>,
    pub(super) provenance: &'a Provenance,
    pub(super) frames: &'a KeptFrames,
    pub(super) progress: &'a mut ProgressReporter<'j>,
    /// Whether any of them was kept by an earlier run.
    pub(super) has_kept: bool,
}

impl Decoding {
    /// Decodes what is missing of `latents`, unscaled and on the device of `vae`, and returns all frames of the section.
    pub(super) fn decode(
        &mut self,
        vae: &Vae,
        (latents, scheme): (&Tensor, DecodeScheme),
        pieces: &mut Pieces<'_, '_>,
    ) -> Result<Tensor, Error> {
        self.join(latents.size()[2], scheme.time, |number, tile| {
            let decode = || vae.decode_tile(latents, tile, scheme);
            let frames = pieces.piece(number, tile, decode)?;
            Ok(frames.to_device(latents.device()))
        })
    }

    /// Joins what `piece` makes of each missing tile, of which it is told how many came before.
    fn join(
        &mut self,
        latents: i64,
        time: TimeTiling,
        mut piece: impl FnMut(u32, &TimeTile) -> Result<Tensor, Error>,
    ) -> Result<Tensor, Error> {
        let (done, open) = (self.joined.input_done(), self.joined.open());
        for tile in time.rest(latents, done, open) {
            self.joined.push(&tile, &piece(self.pieces, &tile)?);
            self.pieces += 1;
        }
        Ok(self.joined.whole())
    }

    /// Whether any piece is decoded.
    pub(super) fn is_begun(&self) -> bool {
        self.pieces > 0
    }

    /// Makes room on the device.
    pub(super) fn leave_device(&mut self) {
        self.joined.leave_device();
    }
}

impl Pieces<'_, '_> {
    /// A piece's frames, (1, 3, F, H, W): those that an earlier run kept, or new ones.
    fn piece(
        &mut self,
        number: u32,
        tile: &TimeTile,
        decode: impl FnOnce() -> Tensor,
    ) -> Result<Tensor, Error> {
        let latents = &tile.input;
        if let Some(kept) = self.frames.piece(self.of, latents, self.provenance) {
            self.has_kept = true;
            return Ok(kept);
        }
        let began = Instant::now();
        let decoded = decode();
        // A device that works while the host goes on is not slow.
        if began.elapsed() >= SLOW {
            let kept = (&decoded, self.provenance);
            self.frames.save_piece(self.of, latents, kept)?;
            self.progress.decoded(self.frames.sections(), number + 1)?;
        }
        Ok(decoded)
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;
    use crate::{device, vae::Chunk};

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
        let whole = numbered(&TimeTiling::Chunked(Chunk::of_quality(19, 1)).tiles(19)[0]);
        for time in chunks.into_iter().chain([TimeTiling::Reference]) {
            for (failing, tile) in (0..).zip(time.tiles(19)) {
                let mut decoding = Decoding::default();
                let mut decoded = vec![];
                let outcome = device::catch(|| {
                    decoding.join(19, time, |number, tile| {
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
                let frames = decoding.join(19, smaller, |number, again| {
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
}
