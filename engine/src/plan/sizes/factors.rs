//! What plans are multiplied with.

use std::num::NonZeroU16;

use tch::Kind;

use super::kind::DecodeKind;
use crate::{kernels::KernelUse, vae::DecodeCost};

/// What counts at least and at most, in per cent of what is assumed.
const COUNTED: [u32; 2] = [90, 300];
/// Types that a VAE computes in.
const DTYPES: [Kind; 3] = [Kind::Float, Kind::BFloat16, Kind::Half];

/// For sums in f32 or not, tiles in space or not, steps or not, and kernels or not.
type BySwitches<T> = [[[[T; 2]; 2]; 2]; 2];

/// How much of the assumed working memory decodes take on one device, by their kinds. By default nothing was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct DecodeFactors {
    /// The largest per cent that was seen; by type, sums, tiles, steps and kernels.
    seen: [BySwitches<Option<NonZeroU16>>; DTYPES.len()],
}

impl DecodeFactors {
    /// The same where a decode of `kind` took so many per cent.
    pub(in crate::plan) fn with(mut self, kind: DecodeKind, percent: u32) -> Self {
        if let Some(dtype) = DTYPES.iter().position(|dtype| *dtype == kind.vae) {
            let [sums, tiles, steps, kernels] = indices(kind);
            let seen = &mut self.seen[dtype][sums][tiles][steps][kernels];
            let percent = u16::try_from(percent).unwrap_or(u16::MAX).max(1);
            *seen = (*seen).max(NonZeroU16::new(percent));
        }
        self
    }

    /// What such a decode takes beside the VAE's weights.
    pub(crate) fn working_bytes(&self, cost: &DecodeCost<'_>) -> u64 {
        let [least, most] = COUNTED;
        let percent = self.seen(DecodeKind::of(cost));
        let percent = percent.map_or(100, |percent| percent.clamp(least, most));
        cost.working_bytes() * u64::from(percent) / 100
    }

    /// Whether that was measured on this device.
    pub(crate) fn is_measured(&self, cost: &DecodeCost<'_>) -> bool {
        self.seen(DecodeKind::of(cost)).is_some()
    }

    /// Most per cent that was seen.
    pub(super) fn seen(&self, kind: DecodeKind) -> Option<u32> {
        let dtype = DTYPES.iter().position(|dtype| *dtype == kind.vae)?;
        let [sums, tiles, steps, kernels] = indices(kind);
        self.seen[dtype][sums][tiles][steps][kernels].map(|percent| percent.get().into())
    }
}

fn indices(kind: DecodeKind) -> [usize; 4] {
    let DecodeKind {
        vae: _,
        f32_sums,
        spatial_tiles,
        in_steps,
        kernels,
    } = kind;
    let has_kernels = kernels == KernelUse::On;
    [f32_sums, spatial_tiles, in_steps, has_kernels].map(usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vae::{Config, DecodeScheme, FinestLevel, Precision, SpaceTiling};

    fn cost(config: &Config, kind: Kind, scheme: DecodeScheme) -> DecodeCost<'_> {
        DecodeCost {
            config,
            kind,
            size_px: [608, 640],
            latent_frames: 18,
            scheme,
            kernels: KernelUse::Off,
        }
    }

    /// Every kind, and whether it is that of another one.
    #[test]
    fn a_kind_has_its_own_factor() {
        let config = Config::published();
        let schemes = || {
            let spaces = [SpaceTiling::Whole, SpaceTiling::Reference].into_iter();
            spaces.flat_map(|space| {
                let whole = DecodeScheme::from(space);
                let quality = DecodeScheme {
                    precision: Precision::F32Sums,
                    ..whole
                };
                let in_steps = |scheme| DecodeScheme {
                    finest: FinestLevel::InSteps(1),
                    ..scheme
                };
                [whole, quality, in_steps(whole), in_steps(quality)]
            })
        };
        let costs = || {
            let dtypes = DTYPES.into_iter();
            dtypes.flat_map(|dtype| schemes().map(move |scheme| (dtype, scheme)))
        };
        assert_eq!(costs().count(), 24);
        for (dtype, scheme) in costs() {
            let measured = cost(&config, dtype, scheme);
            let factors = DecodeFactors::default().with(DecodeKind::of(&measured), 150);
            for (other_dtype, other_scheme) in costs() {
                let other = cost(&config, other_dtype, other_scheme);
                let is_same = (other_dtype, other_scheme) == (dtype, scheme);
                let percent = if is_same { 150 } else { 100 };
                let expected = other.working_bytes() * percent / 100;
                assert_eq!(
                    factors.working_bytes(&other),
                    expected,
                    "{scheme} {other_scheme}"
                );
                assert_eq!(factors.is_measured(&other), is_same);
            }
        }
    }

    #[test]
    fn a_factor_is_never_far_from_the_plan() {
        let config = Config::published();
        let cost = cost(&config, Kind::Half, DecodeScheme::default());
        let planned = cost.working_bytes();
        for (percent, counted) in [
            (0, 90),
            (89, 90),
            (95, 95),
            (100, 100),
            (101, 101),
            (300, 300),
            (301, 300),
            (u32::MAX, 300),
        ] {
            let factors = DecodeFactors::default().with(DecodeKind::of(&cost), percent);
            assert_eq!(factors.working_bytes(&cost), planned * counted / 100);
            assert!(factors.is_measured(&cost));
        }
        let larger = DecodeFactors::default().with(DecodeKind::of(&cost), 120);
        let smaller = larger.with(DecodeKind::of(&cost), 110);
        assert_eq!(smaller, larger, "the largest counts");
    }

    /// A tile as large as the frames is none, nor are steps as long as the piece.
    #[test]
    fn what_makes_no_difference_makes_no_kind() {
        let config = Config::published();
        let whole = cost(&config, Kind::Half, DecodeScheme::default());
        let uncut = DecodeCost {
            size_px: [256, 256],
            scheme: DecodeScheme {
                finest: FinestLevel::InSteps(18),
                ..SpaceTiling::Reference.into()
            },
            ..whole
        };
        assert_eq!(DecodeKind::of(&uncut), DecodeKind::of(&whole));
    }
}
