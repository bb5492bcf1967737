//! Why settings do nothing: they are not built, others overrule them, or the device lacks what they ask for.

use super::{
    decoding::{self, Overruled},
    lack::Lacks,
    origin::Origin,
    row::Row,
    step_cache,
    table::{ATTENTION, FLASH_SDP, MEM_EFFICIENT_SDP},
    value::Value,
};
use crate::StepCacheKind;

/// What of a job's settings, or of the farm's, does nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Inactive {
    overruled: Overruled,
    /// The step cache, where somebody says which.
    step_cache: Option<StepCacheKind>,
    /// Why no kernel is left for `attention: standard`.
    no_kernel: Option<String>,
    lacks: Lacks,
}

/// A setting that means nothing beside others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contradiction<'i> {
    /// Why it does nothing.
    pub reason: &'i str,
    /// What to do.
    pub hint: &'static str,
}

impl Inactive {
    /// As `said` has it: the value of a row, and who set it; on devices that lack this.
    pub fn among(said: impl Fn(&'static Row) -> Option<(Value, Origin)>, lacks: &Lacks) -> Self {
        Self {
            step_cache: said(step_cache::DECIDES).and_then(|(kind, _)| step_cache::kind(&kind)),
            no_kernel: no_kernel(&said),
            overruled: Overruled::among(said),
            lacks: lacks.clone(),
        }
    }

    /// Why a row with this value does nothing.
    pub fn reason(&self, row: &Row, value: &Value) -> Option<&str> {
        let contradiction = || self.contradiction(row, value).map(|found| found.reason);
        // What the device says of its attention is more than what the settings do.
        let of_device = || self.lacks.reason(row, value);
        row.not_built(value)
            .or_else(|| of_device().filter(|_| *row == ATTENTION))
            .or_else(contradiction)
            .or_else(of_device)
    }

    /// What of the other settings makes a row with this value mean nothing.
    pub fn contradiction(&self, row: &Row, value: &Value) -> Option<Contradiction<'_>> {
        let overruled = self.overruled.reason(row).map(|reason| Contradiction {
            reason,
            hint: decoding::HINT,
        });
        let moot = || {
            Some(Contradiction {
                reason: step_cache::moot(row, value, self.step_cache?)?,
                hint: step_cache::HINT,
            })
        };
        let no_kernel = || {
            let asks = *row == ATTENTION && value.text() == Some(STANDARD);
            Some(Contradiction {
                reason: self.no_kernel.as_deref().filter(|_| asks)?,
                hint: "turn one of them on, or write `attention: auto`",
            })
        };
        overruled.or_else(moot).or_else(no_kernel)
    }
}

const STANDARD: &str = "standard";

/// Why `attention: standard` has no kernel, unless the job itself asks for it: the worker refuses that.
fn no_kernel(said: impl Fn(&'static Row) -> Option<(Value, Origin)>) -> Option<String> {
    let (_, asked_by) = said(&ATTENTION)?;
    if matches!(asked_by, Origin::Job | Origin::Set) {
        return None;
    }
    let off = |row: &'static Row| {
        let (value, origin) = said(row)?;
        (value.text() == Some("off")).then(|| format!("`{}: off` (from {origin})", row.key))
    };
    let (flash, efficient) = (off(&FLASH_SDP)?, off(&MEM_EFFICIENT_SDP)?);
    Some(format!(
        "it is the memory-efficient or the flash kernel, and {flash} and {efficient} leave neither"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attention_without_a_kernel_is_inactive_unless_the_job_itself_asks_for_it() {
        let file = || Origin::File { key: "k".into() };
        for (asked_by, mode, efficient, is_inactive) in [
            (file(), STANDARD, "off", true),
            (Origin::Profile { name: "p".into() }, STANDARD, "off", true),
            (file(), STANDARD, "on", false),
            (file(), "aggressive", "off", false),
            (Origin::Job, STANDARD, "off", false),
            (Origin::Set, STANDARD, "off", false),
        ] {
            let said = |row: &'static Row| match row.key {
                key if key == ATTENTION.key => Some((Value::from(mode), asked_by.clone())),
                key if key == FLASH_SDP.key => Some((Value::from("off"), file())),
                key if key == MEM_EFFICIENT_SDP.key => Some((Value::from(efficient), file())),
                _ => None,
            };
            let inactive = Inactive::among(said, &Lacks::default());
            let reason = inactive.reason(&ATTENTION, &Value::from(mode));
            assert_eq!(reason.is_some(), is_inactive, "{asked_by:?} {mode}");
        }
    }
}
