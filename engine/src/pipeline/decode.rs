//! A section's latents to frames, piece by piece: what is decoded stays when memory runs out, and the rest is decoded
//! in smaller pieces.

use std::time::Instant;

use tch::{Device, Kind, Tensor};

use super::{
    measured::Measuring,
    recurring::{RecurringTiles, TileFrames, TileInput},
    run::Run,
};
use crate::{
    checkpoint::{DecodedSection, KeptFrames, Provenance, SLOW},
    device::{Activity, WorkClock, raise},
    error::Error,
    progress::ProgressReporter,
    vae::{DecodeCost, DecodeScheme, FinishedParts, Joined, TimeTile, TimeTiling, Vae},
};

/// What is decoded of one section.
#[derive(Debug, Default)]
pub(super) struct Decoding {
    joined: Joined,
    pieces: u32,
    /// Of the piece that is being decoded.
    parts: FinishedParts,
    /// Of the section, once it is begun.
    latent_frames: Option<i64>,
    /// Whether joining the pieces was tried once more on a device without them.
    is_join_repeated: bool,
    /// What it takes, until it is decoded.
    measuring: Option<Measuring>,
}

/// A section that is decoded.
pub(super) struct SectionLatents<'a> {
    pub(super) of: DecodedSection<'a>,
    /// (1, C, T, h, w), scaled, on the CPU.
    pub(super) latents: &'a Tensor,
    pub(super) provenance: &'a Provenance,
    /// Whether no section comes after it.
    pub(super) is_last: bool,
}

/// Where the pieces of a section are kept, and who hears of them.
struct Pieces<'a, 'j> {
    section: &'a SectionLatents<'a>,
    how: (DecodeScheme, Kind),
    frames: &'a KeptFrames,
    recurring: &'a mut RecurringTiles,
    progress: &'a mut ProgressReporter<'j>,
    /// Whether each of them is decoded now.
    are_new: bool,
}

impl Decoding {
    /// Decodes what is missing of a section, for which there is room, and returns all its frames, (1, 3, F, H, W) on the
    /// device. The host mostly need not wait for it.
    pub(super) fn section(
        &mut self,
        run: &mut Run<'_, '_>,
        (clock, recurring): (&mut WorkClock, &mut RecurringTiles),
        section: &SectionLatents<'_>,
    ) -> Result<Tensor, Error> {
        let device = run.platform.device;
        self.latent_frames = Some(section.latents.size()[2]);
        if self.is_decoded() {
            return Ok(self.joined.whole().to_device(device));
        }
        let (kind, scheme) = (run.models.vae_kind(), run.models.decode_scheme());
        let kernels = run.models.kernels();
        let vae = run.models.vae(&run.job.bundle)?;
        let latents = section.latents / vae.scaling_factor();
        let latents = latents.to_kind(kind).to_device(device);
        let size = &run.job.plan;
        let cost = DecodeCost {
            config: vae.config(),
            kind,
            size_px: [size.width_px.into(), size.height_px.into()],
            latent_frames: latents.size()[2].unsigned_abs(),
            scheme,
            kernels,
        };
        let begun_before = self.is_begun();
        self.measuring = Measuring::begin(device, &cost, run.peak);
        let sections = &run.job.sampling.sections;
        recurring.begin((sections, section.of.number as usize - 1), scheme);
        let mut pieces = Pieces {
            section,
            how: (scheme, kind),
            frames: &run.frames,
            recurring,
            progress: run.progress,
            are_new: true,
        };
        let frames = clock.piece(Activity::Decoding, || {
            self.decode(vae, (&latents, scheme), &mut pieces)
        })?;
        // A part of a section may take less than the whole. What is learnt is for the next job: this one goes on as
        // it began.
        let is_whole = !begun_before && pieces.are_new;
        if let Some(measuring) = self.measuring.take().filter(|_| is_whole) {
            measuring.done(run.sizes, recurring.newest_bytes());
        }
        Ok(frames)
    }

    /// If the device's memory ran out while something was decoded, more is planned for that from now on.
    pub(super) fn learn_from(
        &mut self,
        error: &Error,
        run: &mut Run<'_, '_>,
        recurring: &RecurringTiles,
    ) {
        if let Some(measuring) = self.measuring.take()
            && error.is_of_device_memory()
        {
            measuring.ran_out(run.sizes, recurring.newest_bytes());
            run.models.plan_with(run.sizes.factors());
        }
    }

    /// Decodes what is missing of `latents`, unscaled and on the device of `vae`, and returns all frames of the section.
    fn decode(
        &mut self,
        vae: &Vae,
        (latents, scheme): (&Tensor, DecodeScheme),
        pieces: &mut Pieces<'_, '_>,
    ) -> Result<Tensor, Error> {
        self.keep_first_piece(scheme);
        self.join(latents.size()[2], scheme.time, |number, tile, parts| {
            let is_begun = !parts.is_empty();
            let decode = |after_part: &mut dyn FnMut()| {
                vae.decode_tile(latents, (tile, scheme), parts, after_part)
            };
            let made = pieces.piece(number, tile, decode)?;
            // What was begun may have been begun in another way.
            if !is_begun {
                pieces.keep(tile, &made);
            }
            Ok(made.frames.to_device(latents.device()))
        })
    }

    /// Where a section was begun in steps and goes on in pieces, what is finished is the first of these.
    fn keep_first_piece(&mut self, scheme: DecodeScheme) {
        if self.joined.input_done() == 0
            && let Some((tile, frames)) = self.parts.first_piece(scheme)
        {
            self.joined.push(&tile, &frames);
            self.pieces += 1;
            self.parts = FinishedParts::default();
        }
    }

    /// Joins what `piece` makes of each missing tile, of which it is told how many came before.
    fn join(
        &mut self,
        latents: i64,
        time: TimeTiling,
        mut piece: impl FnMut(u32, &TimeTile, &mut FinishedParts) -> Result<Tensor, Error>,
    ) -> Result<Tensor, Error> {
        let (done, open) = (self.joined.input_done(), self.joined.open());
        for tile in time.rest(latents, done, open) {
            let frames = piece(self.pieces, &tile, &mut self.parts)?;
            self.joined.push(&tile, &frames);
            self.pieces += 1;
            self.parts = FinishedParts::default();
        }
        Ok(self.joined.whole())
    }

    /// Whether anything is decoded.
    fn is_begun(&self) -> bool {
        self.pieces > 0 || !self.parts.is_empty()
    }

    /// Whether nothing is missing but the pieces' joining.
    pub(super) fn is_decoded(&self) -> bool {
        self.latent_frames == Some(self.joined.input_done())
    }

    /// Whether joining the pieces, which failed, may be tried once more: all are there, and smaller ones would not help.
    pub(super) fn may_join_again(&mut self) -> bool {
        if !self.is_decoded() {
            return false;
        }
        self.measuring = None;
        !std::mem::replace(&mut self.is_join_repeated, true)
    }

    /// Makes room on the device.
    pub(super) fn leave_device(&mut self) {
        self.joined.leave_device();
        self.parts.leave_device();
    }
}

impl Pieces<'_, '_> {
    /// A piece's frames, (1, 3, F, H, W): those that an earlier run kept, those that the section before has in common with
    /// this one, or new ones. `decode` says when it gets on.
    fn piece(
        &mut self,
        number: u32,
        tile: &TimeTile,
        decode: impl FnOnce(&mut dyn FnMut()) -> Tensor,
    ) -> Result<TileFrames, Error> {
        let SectionLatents { of, provenance, .. } = *self.section;
        self.recurring.count();
        if let Some(frames) = self.frames.piece(of, &tile.input, provenance) {
            self.are_new = false;
            return Ok(TileFrames {
                frames,
                is_slow: true,
            });
        }
        let made = match self.recurring.take(&self.input(tile)) {
            Some(made) => {
                self.are_new = false;
                made
            }
            None => self.decoded(decode),
        };
        if made.is_slow {
            let kept = (&made.frames, provenance);
            self.frames.save_piece(of, &tile.input, kept)?;
            self.progress.decoded(self.frames.sections(), number + 1)?;
        }
        Ok(made)
    }

    /// A new one.
    fn decoded(&mut self, decode: impl FnOnce(&mut dyn FnMut()) -> Tensor) -> TileFrames {
        let began = Instant::now();
        let mut heard_at = began;
        let frames = decode(&mut || {
            if heard_at.elapsed() < SLOW {
                return;
            }
            heard_at = Instant::now();
            // A job that is to be suspended finishes its piece first.
            if let Err(error @ Error::Cancelled) = self.progress.goes_on() {
                raise(error);
            }
        });
        TileFrames {
            is_slow: frames.device() == Device::Cpu && began.elapsed() >= SLOW,
            frames,
        }
    }

    /// Keeps a piece for the next section, if that has it again.
    fn keep(&mut self, tile: &TimeTile, made: &TileFrames) {
        self.recurring.keep(tile, (self.input(tile), made));
    }

    fn input(&self, tile: &TimeTile) -> TileInput {
        TileInput::new(self.section.latents, tile, self.how)
    }
}

#[cfg(test)]
mod tests;
