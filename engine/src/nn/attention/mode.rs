//! What a job asks of its attention: the modes of the original's `--xformers-mode`, and the device's own choice.

use std::{fmt, str::FromStr};

use framepack_jobs::suggest;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How a job's attention is to be computed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttentionMode {
    /// By what is kept for the device.
    #[default]
    Auto,
    /// Without a fused kernel: by math.
    Off,
    /// By a fused kernel that needs little memory: memory-efficient, else flash.
    Standard,
    /// By the fastest of the fused kernels that computes what math does.
    Aggressive,
}

/// A word that is no mode.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("{name:?} is not an attention mode; expected one of auto, off, standard, aggressive{}",
    near.map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default())]
pub struct UnknownMode {
    /// The word.
    pub name: String,
    /// The mode that may be meant.
    pub near: Option<&'static str>,
}

impl AttentionMode {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Off, Self::Standard, Self::Aggressive];

    /// Its name on command lines, in job files and in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Off => "off",
            Self::Standard => "standard",
            Self::Aggressive => "aggressive",
        }
    }

    /// This one, or `other` where this leaves the choice to others.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match self {
            Self::Auto => other,
            asked => asked,
        }
    }
}

impl fmt::Display for AttentionMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for AttentionMode {
    type Err = UnknownMode;

    fn from_str(name: &str) -> Result<Self, UnknownMode> {
        let known = Self::ALL.into_iter().find(|mode| mode.as_str() == name);
        known.ok_or_else(|| UnknownMode {
            name: name.into(),
            near: suggest(name, Self::ALL.map(Self::as_str)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_everywhere() {
        for mode in AttentionMode::ALL {
            assert_eq!(mode.to_string().parse(), Ok(mode));
            assert_eq!(serde_json::to_value(mode).unwrap(), mode.as_str());
        }
    }

    #[test]
    fn an_unknown_word_is_told_with_all_modes_and_the_nearest() {
        for (word, near) in [
            ("agressive", Some("aggressive")),
            ("Standard", Some("standard")),
            ("of", Some("off")),
            ("xformers", None),
            ("", None),
        ] {
            let error = word.parse::<AttentionMode>().unwrap_err();
            assert_eq!(error.near, near, "{word}");
            let message = error.to_string();
            assert!(
                AttentionMode::ALL
                    .iter()
                    .all(|mode| message.contains(mode.as_str()))
            );
            let suggestion = near.map(|near| format!("did you mean `{near}`?"));
            assert!(
                suggestion.is_none_or(|words| message.contains(&words)),
                "{message}"
            );
        }
    }

    #[test]
    fn auto_leaves_the_choice_to_others() {
        use AttentionMode::{Auto, Off, Standard};
        for (mode, other, expected) in [
            (Auto, Auto, Auto),
            (Auto, Off, Off),
            (Standard, Auto, Standard),
            (Standard, Off, Standard),
        ] {
            assert_eq!(mode.or(other), expected);
        }
    }
}
