//! What a model took from its source while it was loaded.

use std::{cell::RefCell, collections::BTreeMap};

/// Names of what was taken, and of what is known to be unused.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// Names and shapes handed out so far.
    taken: RefCell<BTreeMap<String, Vec<i64>>>,
    /// Places whose tensors are known to be unused, each with a dot at its end.
    skipped: RefCell<Vec<String>>,
}

impl Record {
    pub(super) fn take(&self, name: String, shape: &[i64]) {
        self.taken.borrow_mut().insert(name, shape.into());
    }

    pub(super) fn skip(&self, place: &str) {
        self.skipped.borrow_mut().push(format!("{place}."));
    }

    /// Names and shapes of all tensors taken so far.
    pub(super) fn taken(&self) -> BTreeMap<String, Vec<i64>> {
        self.taken.borrow().clone()
    }

    /// Whether a tensor was taken, or lies at a place that was skipped.
    pub(super) fn covers(&self, name: &str) -> bool {
        let is_below = |place: &String| name.starts_with(place);
        self.taken.borrow().contains_key(name) || self.skipped.borrow().iter().any(is_below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_a_skipped_place_is_covered_and_what_begins_like_it_is_not() {
        let record = Record::default();
        record.skip("layers.1");
        record.take("layers.2.weight".into(), &[3]);
        assert!(record.covers("layers.1.weight") && record.covers("layers.2.weight"));
        assert!(!record.covers("layers.10.weight") && !record.covers("layers.2.bias"));
        assert_eq!(record.taken().len(), 1);
    }
}
