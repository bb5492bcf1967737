//! A value as it is, and where it comes from: what `config show` prints.

use std::{collections::BTreeMap, fmt};

use framepack_yaml::suggest;
use serde::{Deserialize, Serialize};

/// One setting of the daemon's configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// Its key, as in `idle.warm_after_secs`.
    pub key: String,
    /// Its value: paths absolute, `null` for one that is not set and has no default.
    pub value: serde_json::Value,
    /// Where it comes from.
    pub origin: Origin,
    /// Why it does nothing, if it does nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inactive: Option<String>,
}

/// Where values come from, by their keys.
pub type Origins = BTreeMap<String, Origin>;

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Origin {
    /// Nobody has set it.
    Default,
    /// The configuration file.
    File {
        /// The key there, which may be an older name.
        key: String,
    },
    /// A variable of the environment.
    Environment {
        /// Its name.
        variable: String,
    },
    /// The profile of this name, which the job or the configuration names.
    Profile {
        /// Its name.
        name: String,
    },
    /// The preset of this name, which the job or the configuration names.
    Preset {
        /// Its name.
        name: String,
    },
    /// The job file.
    Job,
    /// `--set` of `framepackctl submit` or `plan`.
    Set,
    /// The model bundle.
    Bundle,
    /// A source that this version does not know.
    #[serde(other)]
    Unknown,
}

/// A key or section that no setting has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no setting is called `{key}`")]
pub struct UnknownSetting {
    /// What was asked for.
    pub key: String,
    /// The nearest there is.
    pub near: Option<String>,
}

/// The setting with this key, or those of the section with this name; all, if none is named.
pub fn select(settings: Vec<Setting>, key: Option<&str>) -> Result<Vec<Setting>, UnknownSetting> {
    let Some(key) = key else { return Ok(settings) };
    let is_meant = |setting: &Setting| {
        let below = setting.key.strip_prefix(key);
        below.is_some_and(|below| below.is_empty() || below.starts_with('.'))
    };
    if settings.iter().any(is_meant) {
        return Ok(settings.into_iter().filter(is_meant).collect());
    }
    let keys = settings.iter().map(|setting| setting.key.as_str());
    let sections = keys.clone().filter_map(|key| Some(key.split_once('.')?.0));
    let near = suggest(key, sections.chain(keys));
    Err(UnknownSetting {
        key: key.to_owned(),
        near: near.map(str::to_owned),
    })
}

impl fmt::Display for Setting {
    /// A line of YAML: `idle.warm_after_secs: 300`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            serde_json::Value::Null => write!(f, "{}:", self.key),
            value => write!(f, "{}: {value}", self.key),
        }
    }
}

impl Setting {
    /// The line of YAML, with a comment on why it does nothing, if it does nothing.
    pub fn with_state(&self) -> String {
        match &self.inactive {
            Some(why) => format!("{self}  # inactive: {why}"),
            None => self.to_string(),
        }
    }

    /// The line of YAML, with a comment on where it comes from and why it does nothing.
    pub fn with_origin(&self) -> String {
        self.with_place(&self.origin)
    }

    /// The same with the origin in other words, as in a file's name and line.
    pub fn with_place(&self, origin: &impl fmt::Display) -> String {
        let inactive = self.inactive.as_ref();
        let inactive = inactive.map_or_else(String::new, |why| format!("; inactive: {why}"));
        format!("{self}  # {origin}{inactive}")
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { .. } => f.write_str("configuration file"),
            Self::Environment { variable } => f.write_str(variable),
            Self::Profile { name } => write!(f, "profile {name}"),
            Self::Preset { name } => write!(f, "preset {name}"),
            Self::Job => f.write_str("job file"),
            Self::Set => f.write_str("--set"),
            Self::Bundle => f.write_str("model bundle"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Vec<Setting> {
        ["steps", "guidance.cfg", "guidance.distilled"]
            .map(|key| Setting {
                key: key.to_owned(),
                value: 2.into(),
                origin: Origin::Default,
                inactive: None,
            })
            .to_vec()
    }

    #[test]
    fn a_key_or_a_section_is_selected() {
        let selected = |key| {
            let found = select(settings(), key)?;
            Ok(found.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(selected(None).unwrap().len(), 3);
        assert_eq!(selected(Some("steps")).unwrap(), ["steps: 2"]);
        let section = ["guidance.cfg: 2", "guidance.distilled: 2"];
        assert_eq!(selected(Some("guidance")).unwrap(), section);
        let unknown: UnknownSetting = selected(Some("guidanse")).unwrap_err();
        assert_eq!(unknown.near.as_deref(), Some("guidance"));
        let unknown = selected(Some("step")).unwrap_err();
        assert_eq!(unknown.near.as_deref(), Some("steps"));
    }

    #[test]
    fn an_origin_of_a_later_version_is_read() {
        let origin: Origin = serde_json::from_str(r#"{"from":"the_moon","name":"x"}"#).unwrap();
        assert_eq!(origin, Origin::Unknown);
    }
}
