//! `presets`: the farm's own named sets of settings.
//!
//! ```yaml
//! presets:
//!   night:
//!     steps: 30
//!     guidance: {distilled: 12}
//! ```

use framepack_jobs::{
    Settings,
    settings::{PRESET, PROFILE, Presets, Scope, TABLE},
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
        if name.contains(',') {
            let mistake =
                Mistake::out_of_range(format!("`{name}` is not a preset's name: it has a comma"));
            reader.note(KEY, mistake);
        }
        reader.show(format!("{KEY}.{name}"), &settings);
        presets.insert(name.clone(), settings);
    }
    presets
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
