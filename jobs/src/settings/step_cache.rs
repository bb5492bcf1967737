//! Which settings of `cache` mean nothing beside which kind of cache.

use super::{
    row::Row,
    table::{
        CACHE_BUDGET_GB, CACHE_KIND, CACHE_MAX_SKIP, CACHE_REFRESH, CACHE_RETENTION,
        CACHE_THRESHOLD,
    },
    value::Value,
};
use crate::StepCacheKind;

/// What to do about a setting of another cache.
pub(super) const HINT: &str = "remove it, or take the step cache that has it";

/// Why a row with this value does nothing beside a cache of this kind.
pub(super) fn moot(row: &Row, value: &Value, kind: StepCacheKind) -> Option<&'static str> {
    if row.default_value().as_ref() == Some(value) || !is_of_a_kind(row) {
        return None;
    }
    let is = |other: &Row| row.key == other.key;
    let is_of_measures = is(&CACHE_THRESHOLD) || is(&CACHE_MAX_SKIP) || is(&CACHE_RETENTION);
    let (is_refresh, is_budget) = (is(&CACHE_REFRESH), is(&CACHE_BUDGET_GB));
    match kind {
        StepCacheKind::Off => Some("`cache.kind` is `off`"),
        StepCacheKind::Kv if is_of_measures => {
            Some("`kv` measures nothing: it computes every `cache.refresh` steps")
        }
        StepCacheKind::TeaCache | StepCacheKind::MagCache | StepCacheKind::FbCache if is_budget => {
            Some("only `simcache` and `kv` keep something of each block")
        }
        StepCacheKind::Kv => None,
        _ if is_refresh => Some("only `kv` has it"),
        _ => None,
    }
}

/// Whether a row is of one kind of cache or another, and means something else to each.
pub(super) fn is_of_a_kind(row: &Row) -> bool {
    let rows = [
        &CACHE_THRESHOLD,
        &CACHE_MAX_SKIP,
        &CACHE_RETENTION,
        &CACHE_REFRESH,
        &CACHE_BUDGET_GB,
    ];
    rows.into_iter().any(|other| row.key == other.key)
}

/// The kind that a value of [`CACHE_KIND`] names.
pub(super) fn kind(value: &Value) -> Option<StepCacheKind> {
    value.text().and_then(StepCacheKind::from_word)
}

/// The row that decides.
pub(super) static DECIDES: &Row = &CACHE_KIND;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_settings() {
        use StepCacheKind::{FbCache, Kv, MagCache, Off, SimCache, TeaCache};
        let number = Value::Number(0.5);
        for (row, active) in [
            (
                &CACHE_THRESHOLD,
                &[TeaCache, MagCache, FbCache, SimCache][..],
            ),
            (&CACHE_MAX_SKIP, &[TeaCache, MagCache, FbCache, SimCache]),
            (&CACHE_RETENTION, &[TeaCache, MagCache, FbCache, SimCache]),
            (&CACHE_REFRESH, &[Kv]),
            (&CACHE_BUDGET_GB, &[SimCache, Kv]),
        ] {
            for kind in [Off, TeaCache, MagCache, FbCache, SimCache, Kv] {
                let is_moot = moot(row, &number, kind).is_some();
                assert_eq!(is_moot, !active.contains(&kind), "{} {kind:?}", row.key);
                assert_eq!(moot(row, &Value::from("auto"), kind), None);
            }
        }
        assert_eq!(moot(&CACHE_KIND, &Value::from("kv"), Off), None);
    }
}
