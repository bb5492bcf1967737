//! What is finished of a piece along time while it is decoded, tile by tile in space and step by step through the finest
//! level: it stays when memory runs out, and the rest may be decoded in shorter steps.

use std::{ops::Range, rc::Rc};

use tch::{Device, Tensor};

use super::{
    scheme::{DecodeScheme, FinestLevel, Precision},
    steps::SeenByNorms,
    tiles::{TIME, TimeTile, TimeTiling},
};
use crate::section::pixel_frames;

/// What is finished of one piece of one sample.
#[derive(Debug, Default)]
pub(crate) struct FinishedParts {
    of: Option<PieceOf>,
    /// Frames of the tiles in space that are finished, on the host.
    tiles: Vec<Tensor>,
    /// Of the tile after them, or of the piece if there are no tiles in space.
    steps: FinishedSteps,
}

/// What has to be the same for finished parts to be of use.
#[derive(Debug, PartialEq, Eq)]
struct PieceOf {
    input: Range<i64>,
    /// Of tiles in space, if there are any.
    tile_px: Option<i64>,
    precision: Precision,
}

/// What is finished of a tile that goes through the finest level in steps.
#[derive(Debug, Default)]
pub(super) struct FinishedSteps {
    /// What the norms have seen, once the first pass has ended.
    pub(super) seen: Option<Rc<SeenByNorms>>,
    /// Latent frames whose pixels the second pass has made.
    latent_frames: i64,
    /// Those pixels, (1, 3, F, H, W) each.
    pixels: Vec<Tensor>,
}

impl FinishedParts {
    /// Whether there is anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.tiles.is_empty() && self.steps.is_empty()
    }

    /// Forgets what is of no use for this piece in this scheme.
    pub(super) fn keep_of(
        &mut self,
        input: &Range<i64>,
        (tile_px, precision): (Option<i64>, Precision),
    ) {
        let of = PieceOf {
            input: input.clone(),
            tile_px,
            precision,
        };
        if self.of.as_ref() != Some(&of) {
            *self = Self {
                of: Some(of),
                ..Self::default()
            };
        }
    }

    /// The tile with this number in space: it is finished, or is decoded now. The caller may write into it.
    pub(super) fn tile(
        &mut self,
        (number, device): (usize, Device),
        decode: impl FnOnce(&mut FinishedSteps) -> Tensor,
    ) -> Tensor {
        if let Some(finished) = self.tiles.get(number) {
            return copy_on(device, finished);
        }
        let frames = decode(&mut self.steps);
        self.tiles.push(copy_on(Device::Cpu, &frames));
        self.steps = FinishedSteps::default();
        frames
    }

    /// What is finished without tiles in space.
    pub(super) fn steps(&mut self) -> &mut FinishedSteps {
        &mut self.steps
    }

    /// The frames that are finished at the start of a section, where the scheme goes on with pieces: they are one.
    pub(crate) fn first_piece(&self, next: DecodeScheme) -> Option<(TimeTile, Tensor)> {
        let PieceOf { input, tile_px, .. } = self.of.as_ref()?;
        let is_start = input.start == 0 && tile_px.is_none();
        let goes_on_in_pieces =
            next.finest == FinestLevel::AtOnce || next.time.longest() < input.end;
        (is_start && goes_on_in_pieces && self.steps.latent_frames > 0).then(|| {
            let tile = TimeTile::first(self.steps.latent_frames);
            (tile, self.steps.frames(Device::Cpu))
        })
    }

    /// Makes room on the device. What the norms have seen is small and stays.
    pub(crate) fn leave_device(&mut self) {
        for pixels in &mut self.steps.pixels {
            *pixels = pixels.to_device(Device::Cpu);
        }
    }
}

impl FinishedSteps {
    fn is_empty(&self) -> bool {
        self.seen.is_none()
    }

    /// Latent frames whose pixels are there.
    pub(super) fn latent_frames(&self) -> i64 {
        self.latent_frames
    }

    /// Adds those pixels of a step, up to this latent frame, that are not there yet.
    pub(super) fn add(&mut self, latent_frames: i64, pixels: Tensor) {
        let new = frames_of(latent_frames) - frames_of(self.latent_frames);
        if new <= 0 {
            return;
        }
        let count = pixels.size()[TIME as usize];
        self.pixels.push(if new == count {
            pixels
        } else {
            pixels.narrow(TIME, count - new, new).copy()
        });
        self.latent_frames = latent_frames;
    }

    /// All frames that are there.
    pub(super) fn frames(&self, device: Device) -> Tensor {
        let pixels: Vec<_> = self
            .pixels
            .iter()
            .map(|part| part.to_device(device))
            .collect();
        Tensor::cat(&pixels, TIME)
    }
}

/// Whether finished tiles in space are kept: the reference's pieces are short, and a copy waits for the device.
pub(super) fn are_tiles_kept(scheme: DecodeScheme) -> bool {
    scheme.time != TimeTiling::Reference
}

fn copy_on(device: Device, x: &Tensor) -> Tensor {
    x.to_device_(device, x.kind(), false, true)
}

fn frames_of(latent_frames: i64) -> i64 {
    if latent_frames == 0 {
        0
    } else {
        pixel_frames(latent_frames)
    }
}
