//! Line and column of a key path.
//!
//! `serde_yaml` keeps no marks in its values, but it adds one to an error raised while it reads.
//! So the text is read once more, up to the path, and stopped there by an error.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::{Location, encoding::without_mark, node::join};

/// What of an entry is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The key.
    Key,
    /// The value behind it.
    Value,
}

/// Where `path` (`guidance.cfg`, `worker.devices[1]`) stands in `text`; `None` if it is not there.
pub fn locate(text: &str, path: &str, place: Place) -> Option<Location> {
    let seek = || Seek {
        target: path,
        place,
        here: String::new(),
    };
    let stop = serde_yaml::Deserializer::from_str(without_mark(text))
        .find_map(|document| seek().deserialize(document).err())?;
    if !stop.to_string().contains(FOUND) {
        return None;
    }
    stop.location().map(|at| Location {
        line: at.line(),
        column: at.column(),
    })
}

/// Text of the error that means "here", as no YAML error has it.
const FOUND: &str = "\u{1}found";

/// Walks the events at `here` in search of `target`.
struct Seek<'t> {
    target: &'t str,
    place: Place,
    here: String,
}

impl Seek<'_> {
    fn below(&self, here: String) -> Self {
        Self { here, ..*self }
    }

    fn stop_at_value<E: Error>(&self) -> Result<(), E> {
        if self.place == Place::Value && self.here == self.target {
            Err(E::custom(FOUND))
        } else {
            Ok(())
        }
    }
}

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

macro_rules! visit_scalars {
    ($($visit:ident: $type:ty),*) => {
        $(fn $visit<E: Error>(self, _: $type) -> Result<(), E> {
            self.stop_at_value()
        })*
    };
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    visit_scalars!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_i128: i128,
        visit_u128: u128, visit_f64: f64, visit_str: &str);

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.stop_at_value()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        self.stop_at_value()?;
        for i in 0.. {
            let item = self.below(format!("{}[{i}]", self.here));
            if list.next_element_seed(item)?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.stop_at_value()?;
        while let Some(here) = map.next_key_seed(SeekKey(&self))? {
            map.next_value_seed(self.below(here))?;
        }
        Ok(())
    }
}

/// Reads a key and returns the path of its value.
struct SeekKey<'s, 't>(&'s Seek<'t>);

impl<'de> DeserializeSeed<'de> for SeekKey<'_, '_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for SeekKey<'_, '_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<String, E> {
        let here = join(&self.0.here, key);
        if self.0.place == Place::Key && here == self.0.target {
            return Err(E::custom(FOUND));
        }
        Ok(here)
    }
}
