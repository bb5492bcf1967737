//! Frames that wait on the device, and those that are decoded beside sampling.

use super::*;
use crate::plan::overlap::NoOverlap;

#[test]
fn frames_wait_for_the_next_section_where_there_is_room() {
    let tiles_bytes = (17 + 17 + 9) * 608 * 640 * 3 * 2;
    for gib in [6, 8, 12, 24, 80] {
        let (mut survey, memory) = published(gib * GIB);
        let options = ModelOptions::default();
        let without = Planned::new(&survey, &memory, &options).unwrap();
        survey.recurring_bytes = tiles_bytes;
        let with = Planned::new(&survey, &memory, &options).unwrap();
        assert_eq!(with.placement.recurring_bytes, tiles_bytes, "{gib}");
        assert_eq!(
            with.placement.decoding_bytes,
            without.placement.decoding_bytes + tiles_bytes
        );
        for peak in &with.phases {
            assert!(peak.bytes <= memory.usable_bytes(), "{gib}: {peak:?}");
        }
        assert!(with.placement.does_as(&without.placement) || gib < 80);
        // More than there is: nothing waits, and nothing is refused.
        survey.recurring_bytes = gib * GIB;
        let too_many = Planned::new(&survey, &memory, &options).unwrap();
        assert_eq!(too_many.placement, without.placement, "{gib}");
        assert_eq!(too_many.phases, without.phases, "{gib}");
    }
}

/// The card of docs/MEMORY.md.
#[test]
fn a_section_is_decoded_beside_the_next_one_where_both_fit_at_once() {
    for (gib, is_planned) in [
        (8, false),
        (16, false),
        (20, false),
        (24, true),
        (32, true),
        (48, true),
        (80, true),
    ] {
        let (survey, memory) = published(gib * GIB);
        let placed = Planned::new(&survey, &memory, &ModelOptions::default()).unwrap();
        assert_eq!(placed.placement.overlap.is_ok(), is_planned, "{gib}");
        if is_planned {
            assert_eq!(placed.evicted_bytes, 0);
            let both = peak(&placed, Phase::Sample) + placed.placement.decoding_bytes;
            assert_eq!(peak(&placed, Phase::Decode), both);
        }
        for peak in &placed.phases {
            assert!(peak.bytes <= memory.usable_bytes(), "{gib}: {peak:?}");
        }
    }
    let (mut survey, memory) = published(80 * GIB);
    survey.overlap = Err(NoOverlap::Off);
    let placed = Planned::new(&survey, &memory, &ModelOptions::default()).unwrap();
    assert_eq!(placed.placement.overlap, Err(NoOverlap::Off));
}
