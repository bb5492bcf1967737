//! Values of settings, by their keys.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::row::Row;

/// The value of a setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A word, text or path.
    Text(String),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => value.fmt(f),
            Self::Number(value) => write!(f, "{value:?}"),
            Self::Text(text) => write!(f, "{text:?}"),
        }
    }
}

impl Value {
    /// The whole number that it is, if it is one that `T` has.
    pub fn integer<T: TryFrom<i64>>(&self) -> Option<T> {
        match self {
            Self::Integer(value) => T::try_from(*value).ok(),
            _ => None,
        }
    }

    /// The number that it is.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(value) => Some(*value as f64),
            Self::Number(value) => Some(*value),
            Self::Text(_) => None,
        }
    }

    /// The text that it is.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Values by key, in alphabetical order. In JSON an object with paths as keys: `{"guidance.cfg": 2.0}`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Settings(BTreeMap<String, Value>);

impl Settings {
    /// Sets a value.
    pub fn set(&mut self, key: impl Into<String>, value: Value) {
        self.0.insert(key.into(), value);
    }

    /// Forgets a value.
    pub fn unset(&mut self, key: &str) {
        self.0.remove(key);
    }

    /// The value that was set for the row's key.
    pub fn get(&self, row: &Row) -> Option<&Value> {
        self.0.get(row.key)
    }

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keys and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Whether a key is set.
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }
}
