//! The published model in bf16 on cards of several sizes.

mod preserve;

use super::*;
use crate::{
    kernels::KernelUse,
    offload::{DEFAULT_CHUNK_BYTES, evenly_spread},
    plan::relief::Relief,
    transformer::Sequence,
};

const GIB: u64 = 1 << 30;
const DOUBLE: u64 = 453_000_000;
const SINGLE: u64 = 226_500_000;

fn published() -> TransformerCost {
    let sequence = Sequence {
        tokens: 18_289,
        hidden_size: 3072,
        mlp_size: 12_288,
        head_dim: 128,
        kind_bytes: 2,
        attention_bytes: 0,
        kernels: KernelUse::Off,
    };
    TransformerCost {
        step_cache_bytes: 0,
        block_bytes: [vec![DOUBLE; 20], vec![SINGLE; 40]].concat(),
        fixed_bytes: 100_000_000,
        conditioner_bytes: 850_000_000,
        modulation_bytes: 226_500_000,
        hoisted_bytes: 70_000_000,
        hoisted_away_bytes: 7_560_000_000,
        activation_bytes: sequence.working_bytes(),
    }
}

/// A card that nobody else uses, in a large host.
fn card(total_bytes: u64) -> Budget {
    Budget {
        total_bytes,
        free_bytes: total_bytes,
        foreign_bytes: 0,
        context_bytes: 600 << 20,
        host_available_bytes: 64 * GIB,
    }
}

fn plan_on(memory: &Budget) -> Result<Split, PlanError> {
    split(&published(), memory, &Limits::default())
}

fn residents(plan: &Split) -> usize {
    plan.residency.resident.iter().filter(|r| **r).count()
}

#[test]
fn cards_from_80_to_4_gib() {
    // GiB; fewest and most resident blocks, slots.
    for (gib, blocks, slots) in [
        (80, 60..=60, 0),
        (24, 60..=60, 0),
        (20, 60..=60, 0),
        (16, 38..=46, 3),
        (12, 24..=32, 3),
        (8, 12..=18, 3),
        (6, 6..=10, 3),
        (5, 1..=4, 3),
        (4, 0..=0, 2),
    ] {
        let plan = plan_on(&card(gib * GIB)).unwrap();
        assert!(blocks.contains(&residents(&plan)), "{gib}: {plan:?}");
        assert_eq!(plan.residency.slots, slots, "{gib}");
        assert_eq!(
            plan.resident_bytes + plan.streamed_bytes,
            20 * DOUBLE + 40 * SINGLE
        );
        let taken = plan.peak_bytes + (600 << 20) + DEVICE_MARGIN_BYTES;
        assert!(taken <= gib * GIB, "{gib}: {taken}");
    }
}

#[test]
fn the_card_is_filled() {
    for mib in (4600..20_000).step_by(250) {
        let memory = card(mib << 20);
        let plan = plan_on(&memory).unwrap();
        let left = memory.usable_bytes() - plan.peak_bytes;
        if plan.residency.slots > 0 {
            // One more of the larger blocks, or its exchange for a smaller one, would not fit.
            assert!(left <= 2 * DOUBLE, "{mib} MiB: {left} left of {plan:?}");
        }
    }
}

#[test]
fn fewer_slots_only_where_three_do_not_fit() {
    let needs = published();
    let base = needs.fixed_bytes
        + needs.hoisted_bytes
        + needs.activation_bytes
        + (600 << 20)
        + DEVICE_MARGIN_BYTES;
    for slots in [3, 2, 1] {
        let plan = plan_on(&card(base + slots * DOUBLE)).unwrap();
        assert_eq!((plan.residency.slots as u64, residents(&plan)), (slots, 0));
    }
    let error = plan_on(&card(base + DOUBLE - 1)).unwrap_err();
    let PlanError::Device {
        needs, free_bytes, ..
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(needs.bytes(), free_bytes + 1);
    let message = error.to_string();
    for part in [
        "sampling needs at least",
        "(CUDA context 0.59 GiB",
        "slots 0.42 GiB",
    ] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn what_others_use_is_not_ours() {
    let shared = Budget {
        free_bytes: 8 * GIB,
        foreign_bytes: 16 * GIB,
        ..card(24 * GIB)
    };
    let alone = plan_on(&card(8 * GIB)).unwrap();
    assert_eq!(plan_on(&shared).unwrap(), alone);
    let crowded = Budget {
        free_bytes: 2 * GIB,
        foreign_bytes: 22 * GIB,
        ..shared
    };
    let message = plan_on(&crowded).unwrap_err().to_string();
    let end = "but only 2.00 GiB of 24.00 GiB are available (22.00 GiB used by other programs)";
    assert!(message.ends_with(end), "{message}");
}

#[test]
fn streamed_blocks_are_evenly_spread() {
    for chosen in 1..=59 {
        let spread = evenly_spread(chosen, 60);
        assert_eq!(spread.iter().filter(|c| **c).count(), chosen);
        let mut gaps: Vec<usize> = spread.split(|chosen| *chosen).map(<[bool]>::len).collect();
        // After the last block of a step comes the first of the next.
        gaps[0] += gaps.pop().unwrap();
        let (least, most) = (gaps.iter().min().unwrap(), gaps.iter().max().unwrap());
        assert!(most - least <= 1, "{chosen}: {gaps:?}");
    }
}

#[test]
fn relief_keeps_more_free_and_fewer_blocks_and_never_fails_what_fits() {
    let relieved = |memory: &Budget, gigabytes: u64, kept: Residents| {
        let limits = Limits {
            relief: Relief {
                room_bytes: gigabytes * 1_000_000_000,
                residents: kept,
                ..Relief::default()
            },
            ..Limits::default()
        };
        split(&published(), memory, &limits).unwrap()
    };
    for gib in [80, 16, 8, 4] {
        let memory = card(gib * GIB);
        let planned = relieved(&memory, 0, Residents::Planned);
        assert_eq!(planned, plan_on(&memory).unwrap());
        let roomier = relieved(&memory, 2, Residents::Planned);
        let half = relieved(&memory, 2, Residents::Half);
        let none = relieved(&memory, 2, Residents::None);
        assert_eq!(residents(&half), residents(&roomier) / 2, "{gib} GiB");
        assert_eq!(residents(&none), 0, "{gib} GiB");
        assert!(none.residency.slots > 0, "{gib} GiB");
        let peaks = [&planned, &roomier, &half, &none].map(|plan| plan.peak_bytes);
        assert!(
            peaks.is_sorted_by(|more, less| more >= less),
            "{gib} GiB: {peaks:?}"
        );
    }
    // On 4 GiB nothing fits beside 2 GB more, which are then not kept.
    let small = card(4 * GIB);
    assert_eq!(
        relieved(&small, 2, Residents::Planned),
        plan_on(&small).unwrap()
    );
}

#[test]
fn a_forced_split_takes_the_first_blocks_or_fails() {
    let forced = |resident_blocks, slots| {
        let limits = Limits {
            forced: Some(ForcedSplit {
                resident_blocks,
                slots,
            }),
            ..Limits::default()
        };
        split(&published(), &card(16 * GIB), &limits)
    };
    let split = forced(7, 5).unwrap();
    assert_eq!(split.residency.slots, 5);
    let expected: Vec<bool> = (0..60).map(|i| i < 7).collect();
    assert_eq!(split.residency.resident, expected);
    assert_eq!(split.resident_bytes, 7 * DOUBLE);

    let error = forced(59, usize::MAX).unwrap_err();
    assert!(
        matches!(error, PlanError::ForcedSplit { slots: 1, .. }),
        "{error}"
    );
    assert!(matches!(forced(60, 3), Err(PlanError::ForcedSplit { .. })));
    assert!(matches!(forced(61, 3), Err(PlanError::NoSplit { .. })));
    assert!(matches!(forced(59, 0), Err(PlanError::NoSplit { .. })));
}

#[test]
fn the_host_holds_what_it_can_and_the_rest_is_staged() {
    let with_host = |gib: u64| {
        let limits = Limits {
            host_budget_bytes: Some(gib * GIB),
            ..Limits::default()
        };
        split(&published(), &card(8 * GIB), &limits)
    };
    let ample = with_host(32).unwrap();
    assert_eq!(ample.arena_bytes, ample.streamed_bytes);
    assert_eq!((ample.staged_bytes, ample.staging_bytes), (0, 0));

    let short = with_host(8).unwrap();
    assert_eq!(short.residency, ample.residency);
    assert_eq!(short.arena_bytes + short.staged_bytes, short.streamed_bytes);
    assert_eq!(short.staging_bytes, DEFAULT_CHUNK_BYTES);
    let taken = short.arena_bytes + short.staging_bytes;
    assert!(taken <= 8 * GIB && taken + DOUBLE > 8 * GIB, "{short:?}");
    let both = short.pinned.iter().zip(&short.residency.resident);
    assert!(
        both.into_iter()
            .all(|(pinned, resident)| !(pinned & resident))
    );

    let error = with_host(0).unwrap_err();
    assert!(
        matches!(error, PlanError::Host { needed_bytes, .. } if needed_bytes == DEFAULT_CHUNK_BYTES)
    );
}

#[test]
fn the_budget_leaves_the_host_a_margin_and_residents_need_none() {
    let poor = Budget {
        host_available_bytes: 16 * GIB,
        ..card(6 * GIB)
    };
    let plan = plan_on(&poor).unwrap();
    assert!(plan.staged_bytes > 0);
    assert!(plan.arena_bytes + plan.staging_bytes <= 12 * GIB);
    let roomy = Budget {
        host_available_bytes: 0,
        ..card(24 * GIB)
    };
    assert_eq!(plan_on(&roomy).unwrap().arena_bytes, 0);
}

#[test]
fn hoisting_may_be_the_peak() {
    let conditioner = TransformerCost {
        conditioner_bytes: 5 * GIB,
        ..published()
    };
    let modulations = TransformerCost {
        modulation_bytes: 5 * GIB / HOIST_SLOTS as u64,
        ..published()
    };
    let memory = card(8 * GIB);
    for cost in [conditioner, modulations] {
        let plan = split(&cost, &memory, &Limits::default()).unwrap();
        let ring = plan.residency.slots as u64 * plan.slot_bytes;
        let hoisting = cost.fixed_bytes + cost.hoisted_bytes + plan.resident_bytes + 5 * GIB;
        assert_eq!(
            plan.peak_bytes,
            hoisting.max(hoisting - 5 * GIB + ring + cost.activation_bytes)
        );
        assert!(plan.peak_bytes <= memory.usable_bytes());
    }
}

#[test]
fn a_step_cache_has_its_bytes_beside_the_blocks() {
    let memory = card(12 * GIB);
    let without = plan_on(&memory).unwrap();
    let cached = |step_cache_bytes| TransformerCost {
        step_cache_bytes,
        ..published()
    };
    let plan = split(&cached(3 * GIB), &memory, &Limits::default()).unwrap();
    let fewer = without.resident_bytes - plan.resident_bytes;
    // As whole blocks, of which the plan without it may have left room for most of one.
    assert!(
        (3 * GIB - DOUBLE..3 * GIB + DOUBLE).contains(&fewer),
        "{fewer}"
    );
    assert!(plan.peak_bytes <= memory.usable_bytes());
    let refusal = split(&cached(20 * GIB), &memory, &Limits::default()).unwrap_err();
    assert!(
        refusal.to_string().contains("step cache 20.00 GiB"),
        "{refusal}"
    );
}
