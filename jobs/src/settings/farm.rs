//! What a farm's configuration says of settings, and from where.

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
    settings: Settings,
    origins: Origins,
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

    /// Sets a value.
    pub fn set(&mut self, row: &Row, value: Value, origin: Origin) {
        self.settings.set(row.key, value);
        self.origins.insert(row.key.to_owned(), origin);
    }

    /// Its own presets.
    pub fn presets(&self) -> &Presets {
        &self.presets
    }

    /// The value of a row, where somebody has set it.
    pub fn get(&self, row: &Row) -> Option<&Value> {
        self.settings.get(row)
    }

    /// Where the value of a row comes from.
    pub fn origin(&self, row: &Row) -> Option<&Origin> {
        self.origins.get(row.key)
    }

    /// What of its settings does nothing for a job that sets nothing itself.
    pub fn inactive(&self) -> Inactive {
        let said = |row: &'static Row| {
            let (value, origin) = self.get(row).zip(self.origin(row))?;
            Some((value.clone(), origin.clone()))
        };
        Inactive::among(said, &self.lacks)
    }

    /// The value of a row for a job that sets the keys of `own`. A profile and presets that the job names stand in the place
    /// of the farm's, and a step cache in that of the farm's cache with all its numbers.
    pub fn for_job(&self, row: &'static Row, own: &Origins) -> Option<(&Value, &Origin)> {
        let value = self
            .settings
            .get(row)
            .filter(|_| !own.contains_key(row.key))?;
        let origin = self.origins.get(row.key)?;
        let is_replaced = match origin {
            Origin::Profile { .. } => own.contains_key(PROFILE.key),
            Origin::Preset { .. } => own.contains_key(PRESET.key),
            _ => false,
        };
        let is_of_other_cache =
            step_cache::is_of_a_kind(row) && own.contains_key(step_cache::DECIDES.key);
        let is_replaced = is_replaced || is_of_other_cache;
        (row.scope == Scope::Both && !is_replaced).then_some((value, origin))
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
        (self.settings, self.origins)
    }
}
