//! Why settings do nothing: they are not built, others overrule them, or the device lacks what they ask for.

use super::{decoding::Overruled, lack::Lacks, origin::Origin, row::Row, step_cache, value::Value};
use crate::StepCacheKind;

/// What of a job's settings, or of the farm's, does nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Inactive {
    overruled: Overruled,
    /// The step cache, where somebody says which.
    step_cache: Option<StepCacheKind>,
    lacks: Lacks,
}

impl Inactive {
    /// As `said` has it: the value of a row, and who set it; on devices that lack this.
    pub fn among(said: impl Fn(&'static Row) -> Option<(Value, Origin)>, lacks: &Lacks) -> Self {
        Self {
            step_cache: said(step_cache::DECIDES).and_then(|(kind, _)| step_cache::kind(&kind)),
            overruled: Overruled::among(said),
            lacks: lacks.clone(),
        }
    }

    /// Why a row with this value does nothing.
    pub fn reason(&self, row: &Row, value: &Value) -> Option<&str> {
        row.not_built(value)
            .or_else(|| self.overruled.reason(row))
            .or_else(|| step_cache::moot(row, value, self.step_cache?))
            .or_else(|| self.lacks.reason(row, value))
    }
}
