//! Codes as records and messages carry them: those of later versions, too.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Class, Code, Fault};

/// A code of this version or of another one. Flattened into a record it is two keys: `code`, and `fault`, which is
/// written for readers and not read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Written")]
pub enum AnyCode {
    /// One that the table has.
    Known(Code),
    /// One that it does not have.
    Other(String),
}

#[derive(Serialize, Deserialize)]
struct Written {
    code: String,
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    fault: Option<Fault>,
}

impl AnyCode {
    /// As in `FP2103`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(code) => code.as_str(),
            Self::Other(text) => text,
        }
    }

    /// `no such job: 7 [FP1003]`: a message with this code behind it, as people are told of it.
    pub fn behind(&self, message: &str) -> String {
        format!("{message} [{self}]")
    }

    /// The class that the table has for it.
    pub fn class(&self) -> Class {
        match self {
            Self::Known(code) => code.class(),
            Self::Other(_) => Class::Unknown,
        }
    }
}

impl From<Code> for AnyCode {
    fn from(code: Code) -> Self {
        Self::Known(code)
    }
}

impl From<Written> for AnyCode {
    fn from(Written { code, .. }: Written) -> Self {
        match code.parse() {
            Ok(code) => Self::Known(code),
            Err(_) => Self::Other(code),
        }
    }
}

impl Serialize for AnyCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fault = match self {
            Self::Known(code) => Some(code.fault()),
            Self::Other(_) => None,
        };
        let code = self.as_str().to_owned();
        Written { code, fault }.serialize(serializer)
    }
}

impl PartialEq<Code> for AnyCode {
    fn eq(&self, code: &Code) -> bool {
        matches!(self, Self::Known(known) if known == code)
    }
}

impl PartialEq<&str> for AnyCode {
    fn eq(&self, text: &&str) -> bool {
        self.as_str() == *text
    }
}

impl fmt::Display for AnyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
