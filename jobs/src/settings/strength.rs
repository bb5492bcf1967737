//! How strong the sources of settings are, against each other.

use super::{
    origin::Origin,
    row::Row,
    table::{PRESET, PROFILE},
    value::Value,
};

/// Where a value comes from, from the weakest source on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    /// Nobody, the model bundle, or a source that this version does not know.
    Nobody,
    /// The profile that the configuration names.
    FarmsProfile,
    /// A preset that the configuration names, and its place among them: the last one wins.
    FarmsPreset(usize),
    /// The configuration file.
    File,
    /// The daemon's environment.
    Environment,
    /// The profile that the job names.
    JobsProfile,
    /// A preset that the job names.
    JobsPreset(usize),
    /// The job itself: its file, or `--set`.
    Job,
}

/// The profile's and the presets' source, which decides how strong what they set is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Named {
    profile_is_the_jobs: bool,
    presets_are_the_jobs: bool,
    presets: String,
}

impl Named {
    /// As `said` has it: the value of a row, and who set it.
    pub(super) fn by(said: impl Fn(&'static Row) -> Option<(Value, Origin)>) -> Self {
        let is_the_jobs = |origin: &Origin| matches!(origin, Origin::Job | Origin::Set);
        let presets = said(&PRESET);
        Self {
            profile_is_the_jobs: said(&PROFILE).is_some_and(|(_, origin)| is_the_jobs(&origin)),
            presets_are_the_jobs: presets.as_ref().is_some_and(|(_, by)| is_the_jobs(by)),
            presets: presets.map_or_else(String::new, |(names, _)| {
                names.text().unwrap_or_default().to_owned()
            }),
        }
    }

    /// How strong this source is.
    pub(super) fn strength(&self, origin: &Origin) -> Strength {
        match origin {
            Origin::Default | Origin::Bundle | Origin::Unknown => Strength::Nobody,
            Origin::Profile { .. } if self.profile_is_the_jobs => Strength::JobsProfile,
            Origin::Profile { .. } => Strength::FarmsProfile,
            Origin::Preset { name } => {
                let names: Vec<&str> = self.presets.split(',').collect();
                let place = names.iter().rposition(|known| known == name).unwrap_or(0);
                if self.presets_are_the_jobs {
                    Strength::JobsPreset(place)
                } else {
                    Strength::FarmsPreset(place)
                }
            }
            Origin::File { .. } => Strength::File,
            Origin::Environment { .. } => Strength::Environment,
            Origin::Job | Origin::Set => Strength::Job,
        }
    }
}
