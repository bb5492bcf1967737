//! How a job's frames are decoded: as the job asks, and as far as memory allows.
//!
//! What the device's size decides changes the result as little as who else uses it may: the pieces are chosen for the
//! card, and are smaller only while it is too full.

mod reason;
mod room;

use tch::Device;

pub(crate) use self::reason::{ChosenScheme, SchemeReason};
pub(in crate::plan) use self::room::DecodeRoom;
use super::{budget::Budget, probe, relief::ChunkRelief, sizes::DecodeFactors};
use crate::{
    kernels::KernelUse,
    settings::{VaeMode, VaeSettings},
    vae::{Chunk, DecodeCost, DecodeScheme, FinestLevel, Precision, SpaceTiling, TimeTiling},
};

/// The largest chunk that `auto` gives.
const MAX_CHUNK: u8 = 8;
/// New latent frames of the reference's tiles.
const REFERENCE_CHUNK: u8 = 3;
/// Latent frames of a step through the finest level where quality is asked for, from the fastest on.
const QUALITY_STEPS: [u8; 4] = [8, 4, 2, 1];
/// Pieces of quality where a whole section is too much even in steps: new latent frames and context, from the best on.
const QUALITY_PIECES: [(u8, u8); 6] = [(8, 6), (6, 6), (4, 6), (4, 4), (2, 3), (1, 3)];

/// What the choice depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct DecodeRequest<'a> {
    /// What the job asks for.
    pub(super) settings: VaeSettings,
    /// What is decoded, with the scheme of a job that asks for nothing.
    pub(super) cost: DecodeCost<'a>,
    /// What was measured of such decodes on the device.
    pub(super) factors: DecodeFactors,
    /// Whether that scheme's tiles in space were asked for.
    pub(super) has_forced_space: bool,
    pub(super) relief: ChunkRelief,
    /// `None` where nothing is refused for want of memory.
    pub(super) room: Option<DecodeRoom>,
}

/// How latents are decoded by hand: in chunks as large as `device` holds now, cut along height and width as the cost's
/// scheme says.
pub fn decode_scheme(settings: VaeSettings, cost: DecodeCost<'_>, device: Device) -> DecodeScheme {
    let room = device
        .is_cuda()
        .then(|| DecodeRoom::beside(0, &probe::budget(device)));
    let request = DecodeRequest {
        has_forced_space: true,
        ..by_hand(settings, cost, room)
    };
    request.asked().scheme
}

/// The same on a card of so much memory, beside `kept_bytes` of weights: as a job would on it.
pub fn decode_scheme_on(
    settings: VaeSettings,
    cost: DecodeCost<'_>,
    (budget, kept_bytes): (&Budget, u64),
) -> DecodeScheme {
    let room = DecodeRoom::beside(kept_bytes, budget);
    by_hand(settings, cost, Some(room)).choose().scheme
}

fn by_hand(
    settings: VaeSettings,
    cost: DecodeCost<'_>,
    room: Option<DecodeRoom>,
) -> DecodeRequest<'_> {
    DecodeRequest {
        settings,
        cost,
        factors: DecodeFactors::default(),
        has_forced_space: false,
        relief: ChunkRelief::Planned,
        room,
    }
}

impl DecodeRequest<'_> {
    /// How the frames are decoded.
    pub(super) fn choose(&self) -> ChosenScheme {
        let asked = self.asked();
        let relieved = self.relieved(asked);
        if self.settings.mode == VaeMode::Reference || self.fits_now(relieved.scheme) {
            return relieved;
        }
        if relieved.reason == SchemeReason::Default && self.may_choose_tiles() {
            let scheme = self.in_largest_tiles(|scheme| self.fits_now(scheme));
            if self.fits_now(scheme) {
                return ChosenScheme {
                    scheme,
                    reason: SchemeReason::Room,
                };
            }
        }
        let smaller = self.smaller_than(relieved.scheme);
        let fitting = smaller.iter().find(|scheme| self.fits_now(**scheme));
        // Where not even the last one fits, it is the one whose size the refusal names.
        let scheme = fitting.or(smaller.last()).copied();
        ChosenScheme {
            scheme: scheme.unwrap_or(relieved.scheme),
            reason: SchemeReason::Room,
        }
    }

    /// What the job asks for.
    fn asked(&self) -> ChosenScheme {
        let base = self.cost.scheme;
        let (scheme, reason) = if self.settings.has_quality {
            (self.quality(), SchemeReason::Quality)
        } else if self.settings.asks_for_chunks() {
            let scheme = self.chunks();
            let asked = u64::from(self.settings.chunk.unwrap_or(0));
            let is_less = u64::from(self.at_a_time(scheme)) < asked.min(self.cost.latent_frames);
            let reason = if is_less {
                SchemeReason::Room
            } else {
                SchemeReason::Chunked
            };
            (scheme, reason)
        } else if self.settings.mode == VaeMode::Reference {
            (base, SchemeReason::Reference)
        } else if self.may_choose_tiles() {
            let scheme = self.in_largest_tiles(|scheme| self.fits_card(scheme));
            (scheme, SchemeReason::Default)
        } else {
            (base, SchemeReason::Default)
        };
        ChosenScheme { scheme, reason }
    }

    /// Whether frames that the original would cut into its small squares may be cut otherwise. Without the kernels the
    /// result is the original's, bit for bit.
    fn may_choose_tiles(&self) -> bool {
        self.cost.kernels == KernelUse::On
            && self.cost.scheme.space == SpaceTiling::Reference
            && !self.has_forced_space
            && self.room.is_some()
    }

    /// Whole frames if they fit, else the squares that fit and compute least, else the reference's.
    fn in_largest_tiles(&self, fits: impl Fn(DecodeScheme) -> bool) -> DecodeScheme {
        let base = self.cost.scheme;
        let of = |space| DecodeScheme { space, ..base };
        let whole = of(SpaceTiling::Whole);
        if fits(whole) {
            return whole;
        }
        let squares = SpaceTiling::larger_squares(self.cost.size_px).map(of);
        let fitting = squares.filter(|scheme| fits(*scheme));
        let least = fitting.min_by_key(|scheme| self.cost_of(*scheme).work());
        least.unwrap_or(base)
    }

    fn cost_of(&self, scheme: DecodeScheme) -> DecodeCost<'_> {
        DecodeCost {
            scheme,
            ..self.cost
        }
    }

    /// The chunk that is asked for or the largest that the card holds: a whole section in steps of so many latent
    /// frames, or pieces of them where a cross-fade is asked for or the card is too small for a section.
    fn chunks(&self) -> DecodeScheme {
        let base = self.cost.scheme;
        let most = self.settings.chunk.unwrap_or(MAX_CHUNK);
        let has_blend = self.settings.blend_frames.is_some();
        let steps = (1..=most).rev().filter(|_| !has_blend);
        let sections = steps.map(|step| self.section(base, FinestLevel::InSteps(step)));
        let least = self.settings.chunk.unwrap_or(1);
        let piece = |size| in_chunks(base, Chunk::new(size, self.settings.blend_frames));
        let mut schemes = sections.chain((least..=most).rev().map(piece));
        let fitting = schemes.find(|scheme| self.fits_card(*scheme));
        fitting.unwrap_or_else(|| piece(least))
    }

    /// A whole section.
    fn section(&self, base: DecodeScheme, finest: FinestLevel) -> DecodeScheme {
        let finest = match finest.first_step(self.cost.latent_frames) {
            Some(_) => finest,
            None => FinestLevel::AtOnce,
        };
        DecodeScheme {
            time: TimeTiling::Whole,
            finest,
            ..base
        }
    }

    /// The best way that the card holds: a whole section in whole frames, then in tiles in space, then in pieces.
    fn quality(&self) -> DecodeScheme {
        let base_space = self.cost.scheme.space;
        let of = |space| DecodeScheme {
            space,
            precision: Precision::F32Sums,
            ..self.cost.scheme
        };
        let spaces: &[SpaceTiling] = if self.has_forced_space || self.room.is_none() {
            &[base_space]
        } else {
            &[
                SpaceTiling::Whole,
                SpaceTiling::Large,
                SpaceTiling::Reference,
            ]
        };
        let at_once = [FinestLevel::AtOnce].into_iter();
        let finest = at_once.chain(QUALITY_STEPS.map(FinestLevel::InSteps));
        let sections = spaces.iter().flat_map(|space| {
            let finest = finest.clone();
            finest.map(|finest| self.section(of(*space), finest))
        });
        let last = of(spaces[spaces.len() - 1]);
        let pieces = QUALITY_PIECES.map(|piece| quality_piece(last, piece));
        let mut schemes = sections.chain(pieces);
        let fitting = schemes.find(|scheme| self.fits_card(*scheme));
        fitting.unwrap_or(pieces[pieces.len() - 1])
    }

    /// The same with what the ladder gave up.
    fn relieved(&self, asked: ChosenScheme) -> ChosenScheme {
        let scheme = match self.relief {
            ChunkRelief::Planned => return asked,
            ChunkRelief::Smaller => self.smaller(asked.scheme, self.half_of(asked.scheme)),
            ChunkRelief::One => self.least(asked.scheme),
        };
        ChosenScheme {
            scheme,
            reason: SchemeReason::Relief,
        }
    }

    /// Ways that take less than `scheme`, from the most like it on.
    fn smaller_than(&self, scheme: DecodeScheme) -> Vec<DecodeScheme> {
        let tiled = DecodeScheme {
            space: SpaceTiling::Reference,
            ..scheme
        };
        let mut schemes = vec![tiled];
        let mut latent_frames = self.at_a_time(scheme);
        while latent_frames > 1 {
            latent_frames = latent_frames.div_ceil(2);
            schemes.push(self.smaller(tiled, latent_frames));
        }
        schemes.push(self.least(tiled));
        let hard_cuts = Chunk::new(1, Some(0)).lean();
        schemes.push(in_chunks(tiled, hard_cuts));
        schemes
    }

    /// Latent frames that go through the finest level at a time.
    fn at_a_time(&self, scheme: DecodeScheme) -> u8 {
        let section = u8::try_from(self.cost.latent_frames).unwrap_or(u8::MAX);
        let piece = piece(scheme).map_or(section, Chunk::latent_frames);
        match scheme.finest {
            FinestLevel::AtOnce => piece,
            FinestLevel::InSteps(step) => step.min(piece),
        }
    }

    /// Half of the latent frames at a time; of a whole section so few that they are a step.
    fn half_of(&self, scheme: DecodeScheme) -> u8 {
        let half = self.at_a_time(scheme).div_ceil(2);
        match piece(scheme) {
            Some(_) => half,
            // The first step has one latent frame more.
            None => u64::from(half).min(self.cost.latent_frames.saturating_sub(2).max(1)) as u8,
        }
    }

    /// The same with fewer latent frames at a time: in shorter steps, or in shorter pieces.
    fn smaller(&self, scheme: DecodeScheme, latent_frames: u8) -> DecodeScheme {
        match (piece(scheme), scheme.precision) {
            (Some(piece), Precision::Model) => in_chunks(scheme, piece.with(latent_frames)),
            (None, _) => self.section(scheme, FinestLevel::InSteps(latent_frames)),
            (Some(_), Precision::F32Sums) => in_steps(scheme, latent_frames),
        }
    }

    /// One latent frame at a time: of a section, or in pieces with the shortest past that their cross-fade allows,
    /// whichever takes less.
    fn least(&self, scheme: DecodeScheme) -> DecodeScheme {
        let pieces = match (piece(scheme), scheme.precision) {
            (_, Precision::F32Sums) => {
                quality_piece(scheme, QUALITY_PIECES[QUALITY_PIECES.len() - 1])
            }
            (Some(piece), Precision::Model) => in_chunks(scheme, piece.with(1).lean()),
            (None, Precision::Model) => in_chunks(scheme, Chunk::new(1, None).lean()),
        };
        let section = in_steps(scheme, 1);
        if scheme.time == TimeTiling::Whole && self.bytes(section) <= self.bytes(pieces) {
            section
        } else {
            pieces
        }
    }

    fn fits_card(&self, scheme: DecodeScheme) -> bool {
        self.room
            .is_none_or(|room| self.bytes(scheme) <= room.card_bytes)
    }

    fn fits_now(&self, scheme: DecodeScheme) -> bool {
        self.room
            .is_none_or(|room| self.bytes(scheme) <= room.free_bytes)
    }

    fn bytes(&self, scheme: DecodeScheme) -> u64 {
        self.factors.working_bytes(&self.cost_of(scheme))
    }
}

/// What a piece along time adds, and what it has in common with the one before; `None` for a whole section.
pub(super) fn piece(scheme: DecodeScheme) -> Option<Chunk> {
    match scheme.time {
        TimeTiling::Reference => Some(Chunk::like_reference(REFERENCE_CHUNK)),
        TimeTiling::Chunked(chunk) => Some(chunk),
        TimeTiling::Whole => None,
    }
}

/// Pieces of a section, each in the shortest steps.
fn quality_piece(scheme: DecodeScheme, (latent_frames, context): (u8, u8)) -> DecodeScheme {
    DecodeScheme {
        time: TimeTiling::Chunked(Chunk::of_quality(latent_frames, context)),
        finest: FinestLevel::InSteps(1),
        ..scheme
    }
}

fn in_steps(scheme: DecodeScheme, latent_frames: u8) -> DecodeScheme {
    DecodeScheme {
        finest: FinestLevel::InSteps(latent_frames),
        ..scheme
    }
}

fn in_chunks(scheme: DecodeScheme, chunk: Chunk) -> DecodeScheme {
    DecodeScheme {
        time: TimeTiling::Chunked(chunk),
        finest: FinestLevel::AtOnce,
        ..scheme
    }
}

#[cfg(test)]
mod tests;
