//! What a step cache did in each step of a run: `--cache-trace` of the worker, and the reference's.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

/// Relative difference allowed in what was compared with the threshold.
const NEAR: f64 = 1e-3;
/// Distances that are 0 in exact arithmetic.
const ZERO: f64 = 1e-7;

/// With real guidance each branch has steps of its own.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Trace {
    One(Steps),
    Guided(BTreeMap<String, Steps>),
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Steps {
    computed: Vec<bool>,
    /// None where nothing was compared.
    distance: Vec<Option<f64>>,
}

impl Trace {
    pub(crate) fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The same decisions, made from nearly the same distances.
    pub(crate) fn matches(&self, found: &Self) -> bool {
        match (self, found) {
            (Self::One(expected), Self::One(found)) => expected.matches(found),
            (Self::Guided(expected), Self::Guided(found)) => {
                expected.len() == found.len()
                    && expected
                        .iter()
                        .all(|(branch, steps)| found.get(branch).is_some_and(|f| steps.matches(f)))
            }
            _ => false,
        }
    }
}

impl Steps {
    fn matches(&self, found: &Self) -> bool {
        self.computed == found.computed
            && self.distance.len() == found.distance.len()
            && self
                .distance
                .iter()
                .zip(&found.distance)
                .all(|pair| match pair {
                    (None, None) => true,
                    (Some(expected), Some(found)) => {
                        (found - expected).abs() <= ZERO + NEAR * expected.abs()
                    }
                    _ => false,
                })
    }
}
