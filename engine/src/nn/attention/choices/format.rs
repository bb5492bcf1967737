//! The file's form: `{"format": 1, "attention": [ENTRY…]}`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    nn::attention::{backend::Backend, class::Class, measured::Measured},
    platform::Circumstances,
};

/// Raised when the file gets another form or meaning.
const FORMAT: u32 = 1;

/// One choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) circumstances: Circumstances,
    pub(super) class: Class,
    pub(super) backend: Backend,
    /// By which measurement it was chosen, for the mode that takes the fastest; none of a default that was noted, and
    /// of what people write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) measured: Option<Measured>,
}

/// What the file has of one choice.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(super) enum Line {
    Known(Entry),
    /// Of another version, for which it is kept.
    Unknown(Value),
}

#[derive(Serialize, Deserialize)]
struct File<L> {
    format: u32,
    attention: Vec<L>,
}

/// The file of these lines.
pub(super) fn write(lines: &[Line]) -> Vec<u8> {
    let file = File {
        format: FORMAT,
        attention: lines.iter().collect(),
    };
    let mut text = serde_json::to_vec_pretty(&file).expect("plain data with string keys");
    text.push(b'\n');
    text
}

/// The lines in a file's bytes, or what is wrong with all of it. What this version does not understand is warned of.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Line>, String> {
    let file: File<Value> = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if file.format != FORMAT {
        return Err(format!("it has format {}", file.format));
    }
    let lines = file.attention.into_iter().map(|value| {
        serde_json::from_value(value.clone()).map_or_else(
            |error| {
                tracing::warn!(entry = %value, %error, "an attention choice is not understood and not used");
                Line::Unknown(value.clone())
            },
            Line::Known,
        )
    });
    Ok(lines.collect())
}
