//! Why settings do nothing: they are not built, or others overrule them.

use super::{decoding::Overruled, origin::Origin, row::Row, value::Value};

/// What of a job's settings, or of the farm's, does nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Inactive(Overruled);

impl Inactive {
    /// As `said` has it: the value of a row, and who set it.
    pub fn among(said: impl Fn(&'static Row) -> Option<(Value, Origin)>) -> Self {
        Self(Overruled::among(said))
    }

    /// Why a row with this value does nothing.
    pub fn reason(&self, row: &Row, value: &Value) -> Option<&str> {
        row.not_built(value).or_else(|| self.0.reason(row))
    }
}
