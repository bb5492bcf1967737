//! Which of the VAE's settings count where they contradict each other.
//!
//! `vae.mode: reference` decodes without a chunk, a blend and quality; of the two, the stronger source wins, and the
//! reference where both are equally strong. Quality wins over any chunk and blend, whoever sets them.

use std::collections::BTreeMap;

use super::{
    origin::Origin,
    row::Row,
    strength::{Named, Strength},
    table::{VAE_BLEND, VAE_CHUNK, VAE_MODE, VAE_QUALITY},
    value::Value,
};

/// What the reference's tiles do without.
static ASKS: [&Row; 3] = [&VAE_QUALITY, &VAE_CHUNK, &VAE_BLEND];

/// What to do about two of them that contradict each other.
pub(crate) const HINT: &str = "remove one of the two, or write `vae: {mode: auto}`";

/// Why settings of the VAE do nothing for a job, by their keys.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Overruled(BTreeMap<&'static str, String>);

/// A setting as somebody gave it.
struct Given {
    row: &'static Row,
    said: String,
    strength: Strength,
}

impl Overruled {
    /// Those of what is said: the value of a row, and who set it.
    pub(super) fn among(said: impl Fn(&'static Row) -> Option<(Value, Origin)>) -> Self {
        let named = Named::by(&said);
        let given = |row: &'static Row| {
            let (value, origin) = said(row).filter(|(value, _)| asks(row, value))?;
            Some(Given {
                row,
                said: format!("`{}` (from {origin})", written(row, &value)),
                strength: named.strength(&origin),
            })
        };
        let mode = given(&VAE_MODE);
        let weaker = |ask: &Given| {
            mode.as_ref()
                .is_some_and(|mode| ask.strength <= mode.strength)
        };
        let (without, standing): (Vec<_>, Vec<_>) =
            ASKS.into_iter().filter_map(given).partition(weaker);
        let mut overruled = Self::default();
        if let Some(mode) = &mode {
            overruled.all(&without, &format!("{} decodes without it", mode.said));
        }
        if let Some(strongest) = standing.iter().max_by_key(|ask| ask.strength) {
            let reason = format!("{} is stronger", strongest.said);
            overruled.all(mode.as_slice(), &reason);
        }
        if let Some((quality, others)) = standing.split_first()
            && quality.row == &VAE_QUALITY
        {
            let reason = format!(
                "{} decodes in larger tiles than any chunk, and fades as it needs",
                quality.said
            );
            overruled.all(others, &reason);
        }
        overruled
    }

    /// Why this setting does nothing, where another one overrules it.
    pub(super) fn reason(&self, row: &Row) -> Option<&str> {
        self.0.get(row.key).map(String::as_str)
    }

    fn all(&mut self, given: &[Given], reason: &str) {
        let rows = given.iter().map(|given| (given.row.key, reason.to_owned()));
        self.0.extend(rows);
    }
}

/// What a job that itself says all this asks for in vain: the rows of chunk, blend or quality beside
/// `vae.mode: reference`.
pub(crate) fn contradictions<'a>(
    said: impl Fn(&'static Row) -> Option<&'a Value>,
) -> Vec<(&'static Row, &'a Value)> {
    if !said(&VAE_MODE).is_some_and(|mode| asks(&VAE_MODE, mode)) {
        return Vec::new();
    }
    let given = |row: &'static Row| Some((row, said(row).filter(|value| asks(row, value))?));
    ASKS.into_iter().filter_map(given).collect()
}

/// `vae.chunk: 2`
pub(crate) fn written(row: &Row, value: &Value) -> String {
    match value {
        Value::Text(word) => format!("{}: {word}", row.key),
        number => format!("{}: {number}", row.key),
    }
}

/// Whether a value asks for one of the two: the reference's tiles, or what they do without.
fn asks(row: &Row, value: &Value) -> bool {
    match row.key {
        key if key == VAE_MODE.key => value.text() == Some("reference"),
        key if key == VAE_QUALITY.key => value.text() == Some("on"),
        _ => value.number().is_some(),
    }
}

#[cfg(test)]
mod tests;
