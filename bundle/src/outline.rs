//! The outline of a JSON file: a tokenizer has tens of megabytes of it, which the daemon need not hold.

use std::{fmt, fs::File, io::BufReader, path::Path};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

/// What is known of an object of JSON without keeping it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outline {
    /// It has no key.
    pub(crate) is_empty: bool,
    /// It has the key `model`.
    pub(crate) has_model: bool,
}

impl Outline {
    /// Reads the file through. The error says why it is no object of JSON.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        serde_json::from_reader(BufReader::new(file)).map_err(|error| error.to_string())
    }
}

impl<'de> Deserialize<'de> for Outline {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Keys)
    }
}

struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = Outline;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Outline, A::Error> {
        let mut outline = Outline {
            is_empty: true,
            has_model: false,
        };
        while let Some((key, IgnoredAny)) = map.next_entry::<String, IgnoredAny>()? {
            outline.is_empty = false;
            outline.has_model |= key == "model";
        }
        Ok(outline)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn keys_are_seen_and_what_is_no_object_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tokenizer.json");
        let read = |text: &str| {
            fs::write(&path, text).unwrap();
            Outline::read(&path)
        };
        for (text, is_empty, has_model) in [
            ("{}", true, false),
            (
                r#"{"model": {"vocab": {"a": 0}}, "version": 1}"#,
                false,
                true,
            ),
            (r#"{"vocab": {"model": 0}}"#, false, false),
        ] {
            let expected = Outline {
                is_empty,
                has_model,
            };
            assert_eq!(read(text), Ok(expected), "{text}");
        }
        for text in ["", "[1]", r#"{"model": "#, "{} {}"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
