//! Profiles and presets: named sets of settings, as fragments of YAML that anybody can read.
//!
//! Profiles are the start lines and memory levels of the Python application's guide; presets are its advice for quality.

use std::collections::BTreeMap;

use framepack_yaml::{Mistake, Node, suggest};

use super::{
    origin::{Origin, Setting},
    table::{PROFILES, TABLE},
    value::{Settings, Value},
};

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

const BUILT_IN: [Profile; 8] = [
    Profile {
        name: "auto",
        original: "",
        yaml: "{}\n",
    },
    Profile {
        name: "standard",
        original: "level 1: python demo_gradio.py",
        yaml: "\
attention: standard
memory:
  preserve_gb: 6
",
    },
    Profile {
        name: "bnb4",
        original: "level 2, line 3: FRAMEPACK_FAST_START=1 FRAMEPACK_USE_BNB=1 FRAMEPACK_BNB_LOAD_IN_4BIT=1 \
                   FRAMEPACK_BNB_CPU_OFFLOAD=1 FRAMEPACK_VAE_CHUNK_SIZE=2 \
                   python demo_gradio.py --fast-start --xformers-mode standard --use-memory-v2",
        yaml: "\
storage:
  transformer: nf4
  text_encoder: nf4
vae:
  chunk: 2
attention: standard
memory:
  preserve_gb: 6
  backend: v2
worker:
  fast_start: on
",
    },
    Profile {
        name: "aggressive",
        original: "level 3: GPU Memory Preservation in the interface at 10 to 12 GB",
        yaml: "\
attention: standard
memory:
  preserve_gb: 12
  offload: aggressive
",
    },
    Profile {
        name: "extreme",
        original: "level 4, line 10: PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True,max_split_size_mb=128 \
                   FRAMEPACK_USE_BNB=1 FRAMEPACK_BNB_LOAD_IN_4BIT=1 \
                   python demo_gradio.py --fast-start --xformers-mode standard",
        yaml: "\
# Beyond that line: chunks of one frame, small pieces, and as little on the device as can be.
storage:
  transformer: nf4
  text_encoder: nf4
vae:
  chunk: 1
attention: standard
memory:
  load_chunk_mb: 64
  offload: aggressive
  backend: v1
worker:
  fast_start: on
  cuda_alloc_conf: expandable_segments:True,max_split_size_mb:128
",
    },
    Profile {
        name: "tensorrt",
        original: "line 16: PYTORCH_ENABLE_FLASH_SDP=0 PYTORCH_ENABLE_MEM_EFFICIENT_SDP=0 \
                   FRAMEPACK_USE_BNB=1 FRAMEPACK_BNB_LOAD_IN_4BIT=1 \
                   python demo_gradio.py --fast-start --xformers-mode aggressive --use-memory-v2 --enable-tensorrt",
        yaml: "\
storage:
  transformer: nf4
  text_encoder: nf4
vae:
  tensorrt: on
attention: aggressive
memory:
  preserve_gb: 6
  backend: v2
worker:
  fast_start: on
  flash_sdp: off
  mem_efficient_sdp: off
",
    },
    Profile {
        name: "quality",
        original: "Quality Mode on, Use TeaCache off",
        yaml: "\
vae:
  quality: on
cache:
  kind: off
",
    },
    Profile {
        name: "hands",
        original: "Quality Mode on, TeaCache off, Steps 32, Distilled CFG Scale 12, Total Video Length 3-4 seconds",
        yaml: "\
vae:
  quality: on
cache:
  kind: off
steps: 32
guidance:
  distilled: 12
length:
  seconds: 3.5
",
    },
];

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
        let lines = values
            .iter()
            .map(|(key, value)| format!("{key}: {value}\n"));
        let lines: String = lines.collect();
        return Ok(format!(
            "# {name}\n# a preset of this farm, a key with a dot being one in a mapping\n{lines}"
        ));
    }
    let found = Profile::named(name).map(|profile| profile.described());
    found.ok_or_else(|| UnknownProfile {
        name: name.to_owned(),
        near: suggest(name, BUILT_IN.iter().map(|profile| profile.name)).map(str::to_owned),
    })
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
    use crate::settings::Scope;

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
