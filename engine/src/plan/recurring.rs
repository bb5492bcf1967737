//! What frames take that wait for the next section, which has their tiles again.

use crate::{
    section::{SectionPlan, pixel_frames},
    vae::DecodeCost,
};

/// Most bytes of a section's frames that wait, where `sections` are decoded as `decoding` says.
pub(super) fn recurring_bytes(sections: &SectionPlan, decoding: &DecodeCost<'_>) -> u64 {
    let time = decoding.scheme.time;
    let decoded = |index| sections.decoded(index);
    let frames = (1..sections.sections.len()).map(|next| -> u64 {
        let tiles = time.recurring(&decoded(next - 1), &decoded(next));
        let frames = tiles.iter().map(|tile| pixel_frames(tile.end - tile.start));
        frames.map(i64::unsigned_abs).sum()
    });
    frames.max().unwrap_or(0) * decoding.frame_bytes()
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;
    use crate::{
        kernels::KernelUse,
        section::SectionOrder,
        vae::{Config, DecodeScheme, Precision, TimeTiling},
    };

    #[test]
    fn the_tiles_of_two_sections_are_counted_once() {
        let config = Config::published();
        let decoding = DecodeCost {
            config: &config,
            kind: Kind::Half,
            size_px: [608, 640],
            latent_frames: 18,
            scheme: DecodeScheme::default(),
            kernels: KernelUse::On,
        };
        let frame = 608 * 640 * 3 * 2;
        let bytes = |order, count, scheme| {
            let decoding = DecodeCost { scheme, ..decoding };
            recurring_bytes(&SectionPlan::new(order, count, 9), &decoding)
        };
        let reference = DecodeScheme::default();
        for (count, frames) in [(1, 0), (2, 0), (3, 17 + 17 + 9), (9, 17 + 17 + 9)] {
            let found = bytes(SectionOrder::Backward, count, reference);
            assert_eq!(found, frames * frame, "{count}");
        }
        for (count, frames) in [(1, 0), (2, 0), (3, 17 + 17)] {
            let found = bytes(SectionOrder::Forward, count, reference);
            assert_eq!(found, frames * frame, "{count}");
        }
        let in_f32 = DecodeScheme {
            precision: Precision::F32Sums,
            ..reference
        };
        assert_eq!(
            bytes(SectionOrder::Forward, 3, in_f32),
            2 * (17 + 17) * frame
        );
        let whole = DecodeScheme {
            time: TimeTiling::Whole,
            ..reference
        };
        assert_eq!(bytes(SectionOrder::Backward, 9, whole), 0);
    }
}
