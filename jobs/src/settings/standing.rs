//! Whether a setting does what it says.

use super::{row::Row, value::Value};

const PRESERVED: &str = "memory.preserve_gb";
/// The least that the Python application accepts.
const LEAST_PRESERVED_GB: f64 = 6.0;

/// How far a setting is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It does what it says.
    Built,
    /// It does nothing in this version, for this reason: a job that asks for it itself is refused, and one for which a
    /// profile, a preset or the farm asks runs without it.
    Unbuilt(&'static str),
    /// It does nothing in this version, for this reason, and a job that asks for it runs without it.
    FallsBack(&'static str),
}

impl Row {
    /// Why a job with this value runs without what it asks for: this version has no machinery for it.
    pub(super) fn not_built(&self, value: &Value) -> Option<&'static str> {
        let asks = self.default_value().as_ref() != Some(value);
        match self.standing {
            Standing::Unbuilt(reason) | Standing::FallsBack(reason) if asks => Some(reason),
            _ => None,
        }
    }

    /// What a value that is accepted may cost.
    pub fn caution(&self, value: &Value) -> Option<String> {
        let gb = value
            .number()
            .filter(|gb| self.key == PRESERVED && *gb < LEAST_PRESERVED_GB)?;
        Some(format!(
            "{}: {gb} is less than the {LEAST_PRESERVED_GB} that the Python application keeps at least: other programs \
             on the card may run out of memory",
            self.key
        ))
    }

    /// Why a job can't ask for this value itself.
    pub fn refuses(&self, value: &Value) -> Option<&'static str> {
        match self.standing {
            Standing::Unbuilt(_) => self.not_built(value),
            Standing::Built | Standing::FallsBack(_) => None,
        }
    }
}
