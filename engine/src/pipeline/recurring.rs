//! Tiles that two sections have in common: what the earlier one's decoding made of them serves the later one, too.
//!
//! Neighbouring sections both decode the latents where they meet. What becomes of a tile depends on its latents and on
//! how it is decoded, and on nothing else; so where these are equal, its frames are, bit for bit. The sections' places in
//! the video say which frames are worth keeping, the latents themselves which of them are taken.

use std::ops::Range;

use framepack_ipc::worker::DecodedTiles;
use tch::{Device, Kind, Tensor};

use crate::{
    section::SectionPlan,
    vae::{DecodeScheme, TimeTile},
};

/// Frames that wait for the next section.
#[derive(Debug)]
pub(super) struct RecurringTiles {
    /// Where they wait; `None`: none do.
    place: Option<Device>,
    /// Of the section before.
    earlier: Vec<DecodedTile>,
    /// Of the newest section.
    newest: Vec<DecodedTile>,
    /// Which tiles of the newest section the next one has again.
    recurring: Vec<Range<i64>>,
    counts: DecodedTiles,
}

/// What has to be the same for a tile's frames to be.
#[derive(Debug)]
pub(super) struct TileInput {
    /// (1, C, T, h, w), scaled, on the CPU.
    latents: Tensor,
    scheme: DecodeScheme,
    kind: Kind,
}

/// A tile's frames before neighbours fade into them.
#[derive(Debug)]
pub(super) struct TileFrames {
    /// (1, 3, F, H, W) as the VAE returns them.
    pub(super) frames: Tensor,
    /// Whether they are worth a file.
    pub(super) is_slow: bool,
}

/// A tile that was decoded.
#[derive(Debug)]
struct DecodedTile {
    input: TileInput,
    made: TileFrames,
}

impl TileInput {
    /// Of a section's `latents`, (1, C, T, h, w), scaled, on the CPU.
    pub(super) fn new(
        latents: &Tensor,
        tile: &TimeTile,
        (scheme, kind): (DecodeScheme, Kind),
    ) -> Self {
        Self {
            latents: tile.of(latents),
            scheme,
            kind,
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        (self.scheme, self.kind) == (other.scheme, other.kind)
            && self.latents.size() == other.latents.size()
            && self.latents.equal(&other.latents)
    }
}

impl RecurringTiles {
    /// None yet; they are to wait at `place`.
    pub(super) fn new(place: Option<Device>) -> Self {
        Self {
            place,
            earlier: Vec::new(),
            newest: Vec::new(),
            recurring: Vec::new(),
            counts: DecodedTiles::default(),
        }
    }

    /// Begins a section, or goes on with it, by its index in the video.
    pub(super) fn begin(&mut self, (sections, index): (&SectionPlan, usize), scheme: DecodeScheme) {
        let has_next = self.place.is_some() && index + 1 < sections.sections.len();
        self.recurring = if has_next {
            let [these, next] = [index, index + 1].map(|index| sections.decoded(index));
            scheme.time.recurring(&these, &next)
        } else {
            Vec::new()
        };
    }

    /// The section is decoded: what waited for it leaves.
    pub(super) fn end(&mut self) {
        self.earlier = std::mem::take(&mut self.newest);
    }

    /// The frames of a tile, if the section before made them. They are nobody else's then.
    pub(super) fn take(&mut self, input: &TileInput) -> Option<TileFrames> {
        let mut earlier = self.earlier.iter();
        let found = earlier.position(|tile| tile.input.is_same(input))?;
        self.counts.reused += 1;
        Some(self.earlier.swap_remove(found).made)
    }

    /// Keeps a tile's frames if the next section has it again. The caller may write into its own.
    pub(super) fn keep(&mut self, tile: &TimeTile, (input, made): (TileInput, &TileFrames)) {
        let Some(place) = self.place else { return };
        if self.recurring.contains(&tile.input) {
            let frames = &made.frames;
            self.newest.push(DecodedTile {
                input,
                made: TileFrames {
                    frames: frames.to_device_(place, frames.kind(), false, true),
                    is_slow: made.is_slow,
                },
            });
        }
    }

    /// A tile is joined.
    pub(super) fn count(&mut self) {
        self.counts.all += 1;
    }

    /// How many were joined, and how many of them came from the section before.
    pub(super) fn counts(&self) -> DecodedTiles {
        self.counts
    }

    /// What the newest section's take on the device.
    pub(super) fn newest_bytes(&self) -> u64 {
        let frames = self.newest.iter().map(|tile| &tile.made.frames);
        let there = frames.filter(|frames| frames.device() != Device::Cpu);
        let sizes = there.map(|frames| frames.numel() * frames.kind().elt_size_in_bytes());
        sizes.sum::<usize>() as u64
    }

    /// Makes room on the device. From now on they wait on the host.
    pub(super) fn leave_device(&mut self) {
        self.place = self.place.map(|_| Device::Cpu);
        for tile in self.earlier.iter_mut().chain(&mut self.newest) {
            tile.made.frames = tile.made.frames.to_device(Device::Cpu);
        }
    }
}

#[cfg(test)]
mod tests;
