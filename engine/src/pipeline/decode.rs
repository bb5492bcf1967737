//! A section's latents to frames, piece by piece: what is decoded stays when memory runs out, and the rest is decoded
//! in smaller pieces.

use std::time::Instant;

use tch::Tensor;

use crate::{
    checkpoint::{DecodedSection, KeptFrames, Provenance, SLOW},
    error::Error,
    progress::ProgressReporter,
    vae::{DecodeScheme, Joined, TimeTile, Vae},
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
}

impl Decoding {
    /// Decodes what is missing of `latents`, unscaled and on the device of `vae`, and returns all frames of the section.
    pub(super) fn decode(
        &mut self,
        vae: &Vae,
        (latents, scheme): (&Tensor, DecodeScheme),
        pieces: &mut Pieces<'_, '_>,
    ) -> Result<Tensor, Error> {
        let (done, open) = (self.joined.input_done(), self.joined.open());
        for tile in scheme.time.rest(latents.size()[2], done, open) {
            let decode = || vae.decode_tile(latents, &tile, scheme);
            let frames = pieces.piece(self.pieces, &tile, decode)?;
            self.joined.push(&tile, &frames.to_device(latents.device()));
            self.pieces += 1;
        }
        Ok(self.joined.whole())
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
