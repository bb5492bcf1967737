//! What a farm's configuration says of settings, and from where.

use std::collections::BTreeMap;

use super::{
    inactive::Inactive,
    lack::Lacks,
    origin::{Origin, Origins},
    profile::Presets,
    row::{Counts, Row, Scope},
    step_cache,
    table::{PRESET, PROFILE, TABLE},
    value::{Settings, Value},
};

/// The farm's part in the settings of its jobs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Farm {
    /// By key, and from the weakest on: a job may replace the profile or the presets, and has what is beneath them then.
    said: BTreeMap<&'static str, Vec<(Value, Origin)>>,
    presets: Presets,
    lacks: Lacks,
}

impl Farm {
    /// A farm that has these presets and has set nothing.
    pub fn with_presets(presets: Presets) -> Self {
        Self {
            presets,
            ..Self::default()
        }
    }

    /// The same with devices of which none can do this.
    #[must_use]
    pub fn on(self, lacks: Lacks) -> Self {
        Self { lacks, ..self }
    }

    /// What none of its devices can do, as far as that is known.
    pub fn lacks(&self) -> &Lacks {
        &self.lacks
    }

    /// Sets a value, above what has been set before.
    pub fn set(&mut self, row: &Row, value: Value, origin: Origin) {
        self.said.entry(row.key).or_default().push((value, origin));
    }

    /// The same, but for these rows what `other` says of them.
    #[must_use]
    pub fn with_rows_of(mut self, other: &Self, is_meant: impl Fn(&Row) -> bool) -> Self {
        for row in TABLE.into_iter().filter(|row| is_meant(row)) {
            match other.said.get(row.key) {
                Some(said) => self.said.insert(row.key, said.clone()),
                None => self.said.remove(row.key),
            };
        }
        self
    }

    /// Its own presets.
    pub fn presets(&self) -> &Presets {
        &self.presets
    }

    /// The value of a row, where somebody has set it.
    pub fn get(&self, row: &Row) -> Option<&Value> {
        self.strongest(row).map(|(value, _)| value)
    }

    /// Where the value of a row comes from.
    pub fn origin(&self, row: &Row) -> Option<&Origin> {
        self.strongest(row).map(|(_, origin)| origin)
    }

    fn strongest(&self, row: &Row) -> Option<&(Value, Origin)> {
        self.said.get(row.key)?.last()
    }

    /// What of its settings does nothing for a job that sets nothing itself.
    pub fn inactive(&self) -> Inactive {
        Inactive::among(|row| self.strongest(row).cloned(), &self.lacks)
    }

    /// The value of a row for a job that sets the keys of `own`. A profile and presets that the job names stand in the place
    /// of the farm's, and a step cache in that of the farm's cache with all its numbers.
    pub fn for_job(&self, row: &'static Row, own: &Origins) -> Option<(&Value, &Origin)> {
        let is_of_other_cache =
            step_cache::is_of_a_kind(row) && own.contains_key(step_cache::DECIDES.key);
        if own.contains_key(row.key) || row.scope != Scope::Both || is_of_other_cache {
            return None;
        }
        let is_replaced = |origin: &Origin| match origin {
            Origin::Profile { .. } => own.contains_key(PROFILE.key),
            Origin::Preset { .. } => own.contains_key(PRESET.key),
            _ => false,
        };
        let mut said = self.said.get(row.key)?.iter().rev();
        let (value, origin) = said.find(|(_, origin)| !is_replaced(origin))?;
        Some((value, origin))
    }

    /// What the farm says for a job that is accepted now.
    #[must_use]
    pub fn defaults_for(&self, own: &Origins) -> Self {
        let mut defaults = Self::default();
        for row in TABLE
            .into_iter()
            .filter(|row| row.counts == Counts::AtSubmission)
        {
            if let Some((value, origin)) = self.for_job(row, own) {
                defaults.set(row, value.clone(), origin.clone());
            }
        }
        defaults
    }

    /// Its settings and where they come from.
    pub fn into_parts(self) -> (Settings, Origins) {
        let (mut settings, mut origins) = (Settings::default(), Origins::new());
        for (key, mut said) in self.said {
            if let Some((value, origin)) = said.pop() {
                settings.set(key, value);
                origins.insert(key.to_owned(), origin);
            }
        }
        (settings, origins)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{PRESERVE_GB, STEPS};

    fn own(keys: &[&str]) -> Origins {
        let keys = keys.iter().map(|key| ((*key).to_owned(), Origin::Job));
        keys.collect()
    }

    /// A profile, a preset above it, and a file above both.
    fn farm() -> Farm {
        let mut farm = Farm::default();
        let profile = Origin::Profile {
            name: "bnb4".to_owned(),
        };
        let preset = Origin::Preset {
            name: "mine".to_owned(),
        };
        let file = Origin::File {
            key: "steps".to_owned(),
        };
        farm.set(&PRESERVE_GB, Value::Number(6.0), profile);
        farm.set(&PRESERVE_GB, Value::Number(20.0), preset.clone());
        farm.set(&STEPS, Value::Integer(3), preset);
        farm.set(&STEPS, Value::Integer(9), file);
        farm
    }

    #[test]
    fn rows_of_another_farm_are_all_that_it_says_of_them() {
        let mut other = Farm::default();
        other.set(&STEPS, Value::Integer(4), Origin::Default);
        let is_kept = |row: &Row| [PRESERVE_GB.key, STEPS.key].contains(&row.key);
        let mixed = farm().with_rows_of(&other, is_kept);
        assert_eq!(mixed.get(&PRESERVE_GB), None);
        assert_eq!(mixed.get(&STEPS), Some(&Value::Integer(4)));
        assert_eq!(farm().with_rows_of(&other, |_| false), farm());
    }

    #[test]
    fn what_stands_beneath_a_replaced_preset_counts_then() {
        let farm = farm();
        let value = |row, keys: &[&str]| {
            farm.for_job(row, &own(keys))
                .map(|(value, _)| value.clone())
        };
        for (keys, preserve_gb, steps) in [
            (&[][..], Some(20.0), Some(9)),
            (&["profile"], Some(20.0), Some(9)),
            (&["preset"], Some(6.0), Some(9)),
            (&["preset", "profile"], None, Some(9)),
            (&["memory.preserve_gb", "preset"], None, Some(9)),
            (&["steps"], Some(20.0), None),
        ] {
            assert_eq!(
                value(&PRESERVE_GB, keys),
                preserve_gb.map(Value::Number),
                "{keys:?}"
            );
            assert_eq!(value(&STEPS, keys), steps.map(Value::Integer), "{keys:?}");
        }
    }
}
