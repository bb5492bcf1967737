//! Profiles and presets: named sets of settings, as fragments of YAML that anybody can read.
//!
//! Profiles are the start lines and memory levels of the Python application's guide; presets are its advice for quality.

mod built_in;

use std::collections::BTreeMap;

use framepack_yaml::{Mistake, Node, suggest};

use super::{
    origin::{Origin, Setting},
    table::{PROFILES, TABLE},
    value::{Settings, Value},
};
use built_in::BUILT_IN;

/// A named set of settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: &'static str,
    /// What the Python application's guide says for it.
    pub original: &'static str,
    /// The settings, as in a job file or in the configuration.
    pub yaml: &'static str,
}

impl Profile {
    /// The profile or built-in preset with this name.
    pub fn named(name: &str) -> Option<Self> {
        BUILT_IN.into_iter().find(|profile| profile.name == name)
    }

    /// All of them, profiles first.
    pub fn all() -> impl Iterator<Item = Self> {
        BUILT_IN.into_iter()
    }

    /// Names of the built-in presets.
    fn presets() -> impl Iterator<Item = &'static str> {
        let names = BUILT_IN.iter().map(|profile| profile.name);
        names.filter(|name| !PROFILES.contains(name))
    }

    /// What it sets.
    pub fn settings(&self) -> Settings {
        let root = framepack_yaml::parse(self.yaml).expect("a test reads each of them");
        let mut settings = Settings::default();
        for row in TABLE {
            if let Some(node) = at(&root, row.key) {
                let value = row.read(node).expect("a test reads each of them");
                settings.set(row.key, value);
            }
        }
        settings
    }

    /// It and what the Python application's guide has for it, as YAML with a comment.
    pub fn described(&self) -> String {
        let Self {
            name,
            original,
            yaml,
        } = self;
        let comment = match *original {
            "" => "# nothing is set: the worker plans by the device".to_owned(),
            original => format!("# the Python application: {original}"),
        };
        format!("# {name}\n{comment}\n{yaml}")
    }
}

fn at<'n>(root: &'n Node, path: &str) -> Option<&'n Node> {
    path.split('.').try_fold(root, |node, key| match node {
        Node::Map(entries) => entries
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, node)| node),
        _ => None,
    })
}

/// A name that neither a profile nor a preset has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no profile or preset is called `{name}`")]
pub struct UnknownProfile {
    /// The name.
    pub name: String,
    /// The nearest there is.
    pub near: Option<String>,
}

/// The farm's own presets, by name.
pub type Presets = BTreeMap<String, Settings>;

/// The profile or preset with this name, as YAML: of the farm's own, which `settings` lists, or a built-in one.
pub fn described(name: &str, settings: &[Setting]) -> Result<String, UnknownProfile> {
    let own = settings
        .iter()
        .find(|setting| setting.key.strip_prefix("presets.") == Some(name));
    if let Some(serde_json::Value::Object(values)) = own.map(|setting| &setting.value) {
        return Ok(format!(
            "# {name}\n# a preset of this farm\n{}",
            fragment(values)
        ));
    }
    let found = Profile::named(name).map(|profile| profile.described());
    found.ok_or_else(|| UnknownProfile {
        name: name.to_owned(),
        near: suggest(name, BUILT_IN.iter().map(|profile| profile.name)).map(str::to_owned),
    })
}

/// Settings by their keys as YAML, those of a section together.
fn fragment(values: &serde_json::Map<String, serde_json::Value>) -> String {
    if values.is_empty() {
        return "{}\n".to_owned();
    }
    let mut lines = Vec::new();
    let mut last = None;
    for (key, value) in values {
        match key.split_once('.') {
            Some((section, key)) => {
                let begins = last != Some(section);
                lines.extend(begins.then(|| format!("{section}:\n")));
                lines.push(format!("  {key}: {value}\n"));
                last = Some(section);
            }
            None => lines.push(format!("{key}: {value}\n")),
        }
    }
    lines.concat()
}

/// What a profile and presets set, each with its name, from the weakest on: the profile, then the presets in their order.
/// A mistake is one in the presets: a profile's row reads no name that is none.
pub fn layers(
    profile: Option<&Value>,
    presets: Option<&Value>,
    own: &Presets,
) -> Result<Vec<(Origin, Settings)>, Mistake> {
    let profile = profile.and_then(Value::text).and_then(Profile::named);
    let profile = profile.map(|profile| {
        let name = profile.name.to_owned();
        Ok((Origin::Profile { name }, profile.settings()))
    });
    let names = presets.and_then(Value::text).unwrap_or_default();
    let names = names.split(',').filter(|name| !name.is_empty());
    let presets = names.map(|name| {
        let settings = preset(name, own)?;
        let name = name.to_owned();
        Ok((Origin::Preset { name }, settings))
    });
    profile.into_iter().chain(presets).collect()
}

fn preset(name: &str, own: &Presets) -> Result<Settings, Mistake> {
    if let Some(settings) = own.get(name) {
        return Ok(settings.clone());
    }
    if PROFILES.contains(&name) {
        let mistake = Mistake::out_of_range(format!("`{name}` is a profile"));
        return Err(mistake.hint(format!("write `profile: {name}`")));
    }
    if let Some(built_in) = Profile::named(name) {
        return Ok(built_in.settings());
    }
    let built_in: Vec<&str> = Profile::presets().collect();
    let own = own.keys().map(String::as_str);
    let known: Vec<&str> = own.chain(built_in).collect();
    let message = format!(
        "no preset is called `{name}`; there are {}",
        known.join(", ")
    );
    let mistake = Mistake::out_of_range(message);
    Err(match suggest(name, known) {
        Some(near) => mistake.hint(format!("did you mean `{near}`?")),
        None => {
            mistake.hint("presets of the farm are under `presets` of the daemon's configuration")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{
        BACKGROUND, BUCKET, NEGATIVE_PROMPT, STEPS, Scope, VAE_CHUNK, VAE_QUALITY,
    };

    #[test]
    fn every_fragment_sets_what_it_says_and_nothing_else() {
        for profile in BUILT_IN {
            let root = framepack_yaml::parse(profile.yaml).unwrap();
            let mut document = framepack_yaml::Document::new(&root);
            for row in TABLE.iter().filter(|row| row.scope != Scope::Job) {
                document.value(row.key, |node| row.read(node));
            }
            assert_eq!(document.finish().to_string(), "", "{}", profile.name);
            let written = profile.yaml.lines().filter(|line| {
                !line.starts_with('#')
                    && (line.split_once(": ").is_some() || line.starts_with("  ")) // a key with its value
            });
            assert_eq!(
                profile.settings().iter().count(),
                written.count(),
                "{}",
                profile.name
            );
        }
        for name in PROFILES {
            assert_eq!(Profile::named(name).unwrap().name, name);
        }
        let presets: Vec<&str> = Profile::presets().collect();
        assert_eq!(presets, ["quality", "hands"]);
    }

    #[test]
    fn the_seeds_third_line_is_a_profile() {
        let text = Profile::named("bnb4").unwrap().described();
        assert!(text.contains("FRAMEPACK_VAE_CHUNK_SIZE=2"), "{text}");
        assert!(text.contains("  chunk: 2"), "{text}");
        assert!(framepack_yaml::parse(&text).is_ok());
    }

    #[test]
    fn a_preset_of_the_farm_is_described_as_yaml_that_sets_the_same() {
        let mut mine = Settings::default();
        for (row, text) in [
            (&BUCKET, "128"),
            (&STEPS, "3"),
            (&VAE_CHUNK, "2"),
            (&VAE_QUALITY, "on"),
            (&BACKGROUND, "#ffffff"),
            (&NEGATIVE_PROMPT, "a \"b\": c"),
        ] {
            mine.set(row.key, row.read_text(text).unwrap());
        }
        for settings in [mine, Settings::default()] {
            let listed = Setting {
                key: "presets.mine".to_owned(),
                value: serde_json::to_value(&settings).unwrap(),
                origin: Origin::Default,
                inactive: None,
            };
            let text = described("mine", &[listed]).unwrap();
            let root = framepack_yaml::parse(&text).unwrap_or_else(|error| panic!("{text}{error}"));
            let mut read = Settings::default();
            for row in TABLE {
                if let Some(node) = at(&root, row.key) {
                    read.set(row.key, row.read(node).unwrap());
                }
            }
            assert_eq!(read, settings, "{text}");
        }
    }

    #[test]
    fn presets_of_the_farm_and_built_in_ones_are_found_and_an_unknown_one_is_named() {
        let mut night = Settings::default();
        night.set("steps", Value::Integer(40));
        let own = Presets::from([("night".to_owned(), night.clone())]);
        let layers = |names: &str| layers(None, Some(&Value::from(names)), &own);
        let list = layers("quality,night").unwrap();
        assert_eq!(
            list[1],
            (
                Origin::Preset {
                    name: "night".to_owned()
                },
                night.clone()
            )
        );
        assert!(list[0].1.iter().any(|(key, _)| key == "vae.quality"));
        let unknown = layers("hand").unwrap_err();
        assert_eq!(unknown.hint.as_deref(), Some("did you mean `hands`?"));
        let profile = layers("bnb4").unwrap_err();
        assert_eq!(profile.hint.as_deref(), Some("write `profile: bnb4`"));
    }
}
