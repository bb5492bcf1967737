//! The file's form: `{"format": 1, "attention": [ENTRY…]}`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::circumstances::Circumstances;
use crate::nn::attention::{backend::Backend, class::Class};

/// Raised when the file gets another form or meaning.
const FORMAT: u32 = 1;

/// One choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) circumstances: Circumstances,
    pub(super) class: Class,
    pub(super) backend: Backend,
}

#[derive(Serialize, Deserialize)]
struct File<E> {
    format: u32,
    attention: Vec<E>,
}

/// The file of these entries.
pub(super) fn write(entries: &[Entry]) -> Vec<u8> {
    let file = File {
        format: FORMAT,
        attention: entries.iter().collect(),
    };
    let mut text = serde_json::to_vec_pretty(&file).expect("plain data with string keys");
    text.push(b'\n');
    text
}

/// The entries in a file's bytes, or what is wrong with all of it. Entries that this version does not understand
/// are warned of and left out.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Entry>, String> {
    let file: File<Value> = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if file.format != FORMAT {
        return Err(format!("it has format {}", file.format));
    }
    let entries = file.attention.into_iter().filter_map(|value| {
        let entry = serde_json::from_value(value.clone());
        entry
            .inspect_err(|error| {
                tracing::warn!(entry = %value, %error, "an attention choice is not understood and not used");
            })
            .ok()
    });
    Ok(entries.collect())
}
