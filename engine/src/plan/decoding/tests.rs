//! What jobs get on cards of different sizes.

use tch::Kind;

use super::*;
use crate::{plan::sizes::DecodeKind, vae::Config};

const GIB: u64 = 1 << 30;

fn request(config: &Config, settings: VaeSettings, gib: Option<u64>) -> DecodeRequest<'_> {
    let space = match gib {
        Some(gib) if gib < 60 => SpaceTiling::Reference,
        _ => SpaceTiling::Whole,
    };
    DecodeRequest {
        settings,
        cost: DecodeCost {
            config,
            kind: Kind::Half,
            size_px: [608, 640],
            latent_frames: 18,
            scheme: space.into(),
            kernels: KernelUse::Off,
        },
        factors: DecodeFactors::default(),
        has_forced_space: false,
        relief: ChunkRelief::Planned,
        room: gib.map(|gib| DecodeRoom {
            card_bytes: (gib - 1) * GIB,
            free_bytes: (gib - 1) * GIB,
        }),
    }
}

fn settings(mode: VaeMode, chunk: Option<u8>, blend_frames: Option<u8>) -> VaeSettings {
    VaeSettings {
        mode,
        chunk,
        blend_frames,
        has_quality: false,
    }
}

const QUALITY_ON: VaeSettings = VaeSettings {
    mode: VaeMode::Auto,
    chunk: Some(1),
    blend_frames: Some(0),
    has_quality: true,
};

/// As in `Chunks(2+3, blend 4)AndSpace`.
fn chosen(request: &DecodeRequest<'_>) -> (String, SchemeReason) {
    let ChosenScheme { scheme, reason } = request.choose();
    (scheme.to_string(), reason)
}

#[test]
fn who_asks_for_nothing_gets_the_reference() {
    let config = Config::published();
    for (gib, expected) in [
        (None, "Time"),
        (Some(80), "Time"),
        (Some(6), "TimeAndSpace"),
    ] {
        let auto = request(&config, VaeSettings::default(), gib);
        assert_eq!(chosen(&auto), (expected.into(), SchemeReason::Default));
        let reference = settings(VaeMode::Reference, None, None);
        let reference = request(&config, reference, gib);
        assert_eq!(
            chosen(&reference),
            (expected.into(), SchemeReason::Reference)
        );
    }
}

#[test]
fn chunks_are_as_asked_for_or_as_large_as_the_card_holds() {
    use VaeMode::{Auto, Chunked};
    let config = Config::published();
    let steps = |space: &str, step: u8| format!("Section{space}, finest level in steps of {step}");
    for (settings, gib, expected) in [
        (settings(Auto, Some(2), None), None, steps("", 2)),
        (settings(Auto, Some(2), None), Some(8), steps("AndSpace", 2)),
        (settings(Chunked, None, None), None, steps("", 8)),
        (settings(Chunked, None, None), Some(80), steps("", 8)),
        (
            settings(Chunked, None, None),
            Some(16),
            steps("AndSpace", 8),
        ),
        (settings(Chunked, None, None), Some(6), steps("AndSpace", 5)),
        (
            settings(Chunked, None, None),
            Some(4),
            "Chunks(3+1, blend 4)AndSpace".into(),
        ),
        (
            settings(Auto, Some(8), Some(16)),
            None,
            "Chunks(5+8, blend 16)".into(),
        ),
        (
            settings(Auto, None, Some(0)),
            None,
            "Chunks(3+8, blend 0)".into(),
        ),
    ] {
        let found = chosen(&request(&config, settings, gib));
        assert_eq!(found, (expected, SchemeReason::Chunked), "{gib:?}");
    }
    let mut short = request(&config, settings(Auto, Some(8), None), Some(80));
    short.cost.latent_frames = 3;
    let expected = ("Section".into(), SchemeReason::Chunked);
    assert_eq!(chosen(&short), expected);
    let eight = request(&config, settings(Auto, Some(8), None), Some(6));
    assert_eq!(chosen(&eight), (steps("AndSpace", 5), SchemeReason::Room));
}

#[test]
fn quality_wins_and_gets_the_largest_pieces_of_the_card() {
    let config = Config::published();
    for (gib, pieces, step) in [
        (None, "Section", None),
        (Some(180), "Section", None),
        (Some(80), "Section", Some(8)),
        (Some(24), "Section", Some(2)),
        (Some(16), "SectionAndSpace", Some(8)),
        (Some(8), "SectionAndSpace", Some(4)),
        (Some(6), "SectionAndSpace", Some(2)),
        (Some(4), "Chunks(6+4, blend 8)AndSpace", Some(1)),
    ] {
        let step = step.map(|step| format!(", finest level in steps of {step}"));
        let expected = format!("{pieces} in f32 sums{}", step.unwrap_or_default());
        let found = chosen(&request(&config, QUALITY_ON, gib));
        assert_eq!(found, (expected, SchemeReason::Quality), "{gib:?}");
    }
}

#[test]
fn a_device_that_is_too_full_gets_smaller_pieces_unless_the_job_insists_on_the_references() {
    let config = Config::published();
    let full = |settings, free_gib| {
        let mut request = request(&config, settings, Some(80));
        request.room.as_mut().unwrap().free_bytes = free_gib * GIB;
        chosen(&request)
    };
    for (free_gib, expected) in [
        (30, ("Time", SchemeReason::Default)),
        (18, ("TimeAndSpace", SchemeReason::Room)),
        (4, ("TimeAndSpace", SchemeReason::Room)),
        (3, ("Chunks(2+2, blend 4)AndSpace", SchemeReason::Room)),
        (0, ("Chunks(1+1, blend 0)AndSpace", SchemeReason::Room)),
    ] {
        let (name, reason) = full(VaeSettings::default(), free_gib);
        assert_eq!((name.as_str(), reason), expected, "{free_gib} GiB");
    }
    let insists = settings(VaeMode::Reference, None, None);
    assert_eq!(full(insists, 3), ("Time".into(), SchemeReason::Reference));
}

#[test]
fn the_ladder_halves_the_chunk_and_then_takes_one() {
    let config = Config::published();
    let eight = settings(VaeMode::Auto, Some(8), None);
    for (settings, relief, expected) in [
        (
            VaeSettings::default(),
            ChunkRelief::Smaller,
            "Chunks(2+2, blend 4)",
        ),
        (
            VaeSettings::default(),
            ChunkRelief::One,
            "Chunks(2+1, blend 4)",
        ),
        (
            eight,
            ChunkRelief::Smaller,
            "Section, finest level in steps of 4",
        ),
        (eight, ChunkRelief::One, "Chunks(2+1, blend 4)"),
        (
            settings(VaeMode::Auto, Some(8), Some(8)),
            ChunkRelief::Smaller,
            "Chunks(3+4, blend 8)",
        ),
        (
            QUALITY_ON,
            ChunkRelief::Smaller,
            "Section in f32 sums, finest level in steps of 9",
        ),
        (
            QUALITY_ON,
            ChunkRelief::One,
            "Chunks(3+1, blend 8) in f32 sums, finest level in steps of 1",
        ),
    ] {
        let request = DecodeRequest {
            relief,
            ..request(&config, settings, None)
        };
        let expected = (expected.to_owned(), SchemeReason::Relief);
        assert_eq!(chosen(&request), expected);
    }
}

#[test]
fn the_last_rung_takes_least_of_sections_of_any_length() {
    let config = Config::published();
    let asked = (1..=8).map(|chunk| settings(VaeMode::Auto, Some(chunk), None));
    for settings in asked.chain([VaeSettings::default(), QUALITY_ON]) {
        for latent_frames in 1..=33 {
            let bytes =
                [ChunkRelief::Planned, ChunkRelief::Smaller, ChunkRelief::One].map(|relief| {
                    let mut request = request(&config, settings, None);
                    request.cost.latent_frames = latent_frames;
                    request.relief = relief;
                    request.bytes(request.choose().scheme)
                });
            let what = format!("{settings:?}, {latent_frames}: {bytes:?}");
            assert!(
                bytes.is_sorted_by(|before, after| before >= after),
                "{what}"
            );
        }
    }
}

/// Where decodes take more than is assumed, or less, jobs get what they would get on a card with less or more room.
#[test]
fn pieces_follow_what_was_measured_on_the_card() {
    let config = Config::published();
    let spaces = [SpaceTiling::Whole, SpaceTiling::Large];
    let finest = [FinestLevel::AtOnce, FinestLevel::InSteps(1)];
    let precisions = [Precision::Model, Precision::F32Sums];
    let base = request(&config, VaeSettings::default(), None).cost;
    let measured = |percent| {
        let kinds = spaces.iter().flat_map(|space| {
            let pairs = finest.iter().zip([precisions; 2]);
            pairs.flat_map(move |(finest, precisions)| {
                precisions.map(|precision| {
                    DecodeKind::of(&DecodeCost {
                        scheme: DecodeScheme {
                            finest: *finest,
                            precision,
                            ..(*space).into()
                        },
                        ..base
                    })
                })
            })
        });
        kinds.fold(DecodeFactors::default(), |factors, kind| {
            factors.with(kind, percent)
        })
    };
    let mut others = 0;
    for settings in [
        VaeSettings::default(),
        settings(VaeMode::Chunked, None, None),
        settings(VaeMode::Auto, Some(8), Some(16)),
        QUALITY_ON,
    ] {
        for gib in [4, 6, 8, 12, 16, 24, 80] {
            let assumed = request(&config, settings, Some(gib));
            for percent in [90, 125, 200, 300] {
                let known = DecodeRequest {
                    factors: measured(u32::try_from(percent).unwrap()),
                    ..assumed
                };
                let part = (gib - 1) * GIB * 100 / percent;
                let other_room = DecodeRequest {
                    room: Some(DecodeRoom {
                        card_bytes: part,
                        free_bytes: part,
                    }),
                    ..assumed
                };
                let expected = chosen(&other_room);
                assert_eq!(
                    chosen(&known),
                    expected,
                    "{settings:?} {gib} GiB, {percent} %"
                );
                others += u32::from(expected != chosen(&assumed));
            }
        }
    }
    assert!(others > 40, "{others}");
}
