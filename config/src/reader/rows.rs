//! Settings of the table of `jobs`: each with all that is said of it, and why it does nothing.

use std::cell::RefCell;

use framepack_jobs::{
    Row, Settings, Value,
    settings::{ATTENTION, Contradiction, Farm, Origin, Setting, TABLE},
};

use super::{Reader, Shape};
use crate::allocator;

impl Reader<'_> {
    /// A setting of the table as somebody has set it, and who: what the profile and presets say, and above them the file
    /// or the environment.
    pub(crate) fn row(&mut self, row: &'static Row) -> Vec<(Value, Origin)> {
        let corrections = RefCell::new(Vec::new());
        let found = self.find(row.key.into(), Shape::One, |node| {
            let (value, corrected) = allocator::spelled(row, row.read(node)?)?;
            corrections.borrow_mut().extend(corrected);
            Ok(value)
        });
        let corrections = corrections.into_inner().into_iter();
        self.notices
            .extend(corrections.map(|said| format!("{}: corrected: {said}", row.key)));
        let named = self.named.iter();
        let named = named
            .filter_map(|(origin, settings)| Some((settings.get(row)?.clone(), origin.clone())));
        let said: Vec<(Value, Origin)> = named.chain(found).collect();
        let caution = said.last().and_then(|(value, _)| row.caution(value));
        self.notices.extend(caution);
        let (shown, origin) = match said.last() {
            Some((value, origin)) => (Some(value.clone()), origin.clone()),
            None => (row.default_value(), Origin::Default),
        };
        self.record(row.key.into(), &shown, origin);
        said
    }

    /// Says of the rows of the table that do nothing why, and of those that contradict others what to do.
    pub(crate) fn mark_inactive(&mut self, farm: &Farm) {
        let inactive = farm.inactive();
        for row in TABLE {
            let Some((value, origin)) = farm.get(row).zip(farm.origin(row)) else {
                continue;
            };
            let reason = inactive.reason(row, value);
            let listed = self
                .settings
                .iter_mut()
                .find(|setting| setting.key == row.key);
            if let Some(setting) = listed {
                setting.inactive = reason.map(str::to_owned);
            }
            // A profile and presets stand beneath other settings, which may want them otherwise.
            let is_given = matches!(origin, Origin::File { .. } | Origin::Environment { .. });
            if let Some(Contradiction { reason, hint }) = inactive
                .contradiction(row, value)
                .filter(|_| is_given || *row == ATTENTION)
            {
                let key = row.key;
                self.notices.push(format!(
                    "{key}: inactive: {reason} ({value}, from {origin}); {hint}"
                ));
            }
        }
    }

    /// Tells something that an operator should know.
    pub(crate) fn tell(&mut self, notice: String) {
        self.notices.push(notice);
    }

    /// Lists a value of the file under a key that its author chose.
    pub(crate) fn show(&mut self, key: String, value: &Settings) {
        self.settings.push(Setting {
            origin: Origin::File { key: key.clone() },
            key,
            value: serde_json::to_value(value).unwrap_or_default(),
            inactive: None,
        });
    }

    /// What stands beneath the file from now on, from the weakest on.
    pub(crate) fn beneath(&mut self, layers: Vec<(Origin, Settings)>) {
        self.named = layers;
    }
}
