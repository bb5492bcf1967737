//! What is kept free beside the weights.

use super::*;

#[test]
fn preserved_memory_is_kept_free_and_never_less_than_the_activations() {
    let preserving = |gib: u64| {
        let limits = Limits {
            preserve_bytes: Some(gib * GIB),
            must_preserve: true,
            ..Limits::default()
        };
        split(&published(), &card(16 * GIB), &limits)
    };
    let by_default = plan_on(&card(16 * GIB)).unwrap();
    assert_eq!(preserving(1).unwrap(), by_default);
    let six = preserving(6).unwrap();
    assert!(residents(&six) < residents(&by_default));
    assert!(six.peak_bytes + 3 * GIB < card(16 * GIB).usable_bytes());

    let error = preserving(15).unwrap_err();
    assert!(matches!(error, PlanError::Preserve { .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains("keeps 15.00 GiB free"), "{message}");
}

#[test]
fn what_does_not_fit_is_kept_free_as_far_as_it_does_unless_the_job_itself_asks_for_it() {
    // GiB of the card, GiB to be kept free, and whether they fit.
    for (gib, preserve_gib, fits) in [
        (80, 12, true),
        (16, 12, true),
        (16, 15, false),
        (12, 6, true),
        (12, 12, false),
        (12, 128, false),
        (8, 6, true),
        (8, 12, false),
        (4, 12, false),
    ] {
        let (memory, wanted_bytes) = (card(gib * GIB), preserve_gib * GIB);
        let preserving = |must_preserve| {
            let limits = Limits {
                preserve_bytes: Some(wanted_bytes),
                must_preserve,
                ..Limits::default()
            };
            split(&published(), &memory, &limits)
        };
        let plan = preserving(false).unwrap();
        let case = format!("{preserve_gib} of {gib} GiB: {plan:?}");
        if fits {
            assert_eq!(
                (plan.preserve_bytes, plan.wanted_bytes),
                (wanted_bytes, None),
                "{case}"
            );
            assert_eq!(preserving(true).unwrap(), plan, "{case}");
            continue;
        }
        assert_eq!(plan.wanted_bytes, Some(wanted_bytes), "{case}");
        assert_eq!(residents(&plan), 0, "{case}");
        assert!(
            plan.preserve_bytes >= published().activation_bytes,
            "{case}"
        );
        // Nothing is left but the slots.
        let others = published().fixed_bytes + published().hoisted_bytes + plan.slots_bytes();
        assert_eq!(
            plan.preserve_bytes + others,
            memory.usable_bytes(),
            "{case}"
        );
        let reason = plan.less_preserved().unwrap();
        assert!(
            reason.starts_with(&format!("{preserve_gib}.00 GiB do not fit")),
            "{reason}"
        );
        let error = preserving(true).unwrap_err();
        assert!(matches!(error, PlanError::Preserve { .. }), "{error}");
    }
    // Where nothing fits at all, nobody's wish is the reason.
    let limits = Limits {
        preserve_bytes: Some(12 * GIB),
        ..Limits::default()
    };
    let error = split(&published(), &card(3 * GIB), &limits).unwrap_err();
    assert!(matches!(error, PlanError::Device { .. }), "{error}");
}
