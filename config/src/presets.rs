//! `presets`: the farm's own named sets of settings.
//!
//! ```yaml
//! presets:
//!   night:
//!     steps: 30
//!     guidance: {distilled: 12}
//! ```

use framepack_jobs::{
    Row, Settings,
    settings::{
        Contradiction, Inactive, Lacks, Origin, PRESET, PROFILE, Presets, Profile, Scope, TABLE,
    },
};
use framepack_yaml::{Document, Mistake, Node, Problem, Problems};

use crate::reader::Reader;

const KEY: &str = "presets";

/// Reads all of them.
pub(crate) fn read(reader: &mut Reader<'_>) -> Presets {
    let mut presets = Presets::new();
    for (name, node) in reader.mapping(KEY) {
        let (settings, problems) = preset(node);
        let below = |mut problem: Problem| {
            problem.path = match problem.path.as_str() {
                "" => format!("{KEY}.{name}"),
                path => format!("{KEY}.{name}.{path}"),
            };
            problem
        };
        reader.note_all(problems.map(below));
        if let Some(mistake) = misnamed(name) {
            reader.note(&format!("{KEY}.{name}"), mistake);
        }
        for notice in contradictions(name, &settings) {
            reader.tell(notice);
        }
        reader.show(format!("{KEY}.{name}"), &settings);
        presets.insert(name.clone(), settings);
    }
    presets
}

/// Why a preset can't be called so.
fn misnamed(name: &str) -> Option<Mistake> {
    let (message, hint) = if name.contains(',') {
        ("it has a comma", "write it without")
    } else if Profile::named(name).is_some() {
        let message = "it is that of a built-in profile or preset";
        (
            message,
            "choose another name; a job may name several presets",
        )
    } else {
        return None;
    };
    let mistake = Mistake::out_of_range(format!("`{name}` can't be a preset's name: {message}"));
    Some(mistake.hint(hint))
}

/// What of a preset does nothing beside the rest of it.
fn contradictions(name: &str, settings: &Settings) -> Vec<String> {
    let origin = Origin::Preset {
        name: name.to_owned(),
    };
    let said = |row: &'static Row| Some((settings.get(row)?.clone(), origin.clone()));
    let inactive = Inactive::among(said, &Lacks::default());
    let of_row = |row: &'static Row| {
        let value = settings.get(row)?;
        let Contradiction { reason, hint } = inactive.contradiction(row, value)?;
        let key = row.key;
        Some(format!(
            "{KEY}.{name}.{key}: inactive: {reason} ({value}); {hint}"
        ))
    };
    TABLE.into_iter().filter_map(of_row).collect()
}

/// What jobs may set, and the farm for them; a preset names no other.
fn preset(node: &Node) -> (Settings, Problems) {
    let mut document = Document::new(node);
    let mut settings = Settings::default();
    let rows = TABLE.into_iter().filter(|row| row.scope == Scope::Both);
    for row in rows.filter(|row| ![PROFILE.key, PRESET.key].contains(&row.key)) {
        if let Some(value) = document.value(row.key, |node| row.read(node)) {
            settings.set(row.key, value);
        }
    }
    (settings, document.finish())
}
