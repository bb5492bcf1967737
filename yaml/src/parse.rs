//! Text to tree: a serde visitor over `serde_yaml`'s events that counts as it goes.
//!
//! An error raised inside the visitor gets line and column from `serde_yaml`.

use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    fmt,
};

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Visitor};

use crate::{
    Location, MAX_BYTES, MAX_DEPTH, MAX_KEY_BYTES, MAX_NODES, Node, Problem, ProblemKind,
    characters::forbidden,
    encoding::{end_of, without_mark},
    json::with_whole_characters,
    node::join,
    refusal::{NoKey, Refusal},
    syntax,
};

/// Reads one YAML document. Empty ones before and behind it, as a last `---` makes them, are passed over.
pub fn parse(text: &str) -> Result<Node, Problem> {
    let text = without_mark(text);
    let json = with_whole_characters(text);
    let text = json.as_deref().unwrap_or(text);
    let syntax = |message: String| Problem::new(ProblemKind::Syntax, "", message);
    if text.len() > MAX_BYTES {
        let message = format!(
            "the file has {} bytes; at most {MAX_BYTES} are accepted",
            text.len()
        );
        return Err(syntax(message));
    }
    if let Some(problem) = forbidden(text) {
        return Err(problem);
    }
    let reading = Reading::default();
    let mut root = Node::Null;
    for document in serde_yaml::Deserializer::from_str(text) {
        let read = if root == Node::Null {
            let seed = Seed {
                depth: 0,
                reading: &reading,
            };
            seed.deserialize(document).map(|node| root = node)
        } else {
            Nothing(&reading).deserialize(document)
        };
        read.map_err(|error| in_words(text, &error, &reading))?;
    }
    if root == Node::Null {
        return Err(Problem {
            location: Some(end_of(text)),
            ..syntax("the file is empty".to_owned())
        });
    }
    Ok(root)
}

/// The parser's error as one of ours.
fn in_words(text: &str, error: &serde_yaml::Error, reading: &Reading) -> Problem {
    let said = error.to_string();
    let Some(at) = error.location() else {
        return Problem::new(ProblemKind::Syntax, "", said);
    };
    let location = Location {
        line: at.line(),
        column: at.column(),
    };
    match reading.refusal.take() {
        Some(refusal) => {
            let path = reading.path.take();
            syntax::explain_refusal(text, location, &path, refusal)
        }
        None => syntax::explain(text, location, said),
    }
}

/// A value outside a file, as in a variable of the environment: a number or a truth value where it is written like one
/// in YAML, and text otherwise.
pub fn scalar(text: &str) -> Node {
    match parse(text) {
        Ok(node @ (Node::Bool(_) | Node::Int(_) | Node::Float(_))) => node,
        _ => Node::Text(text.to_owned()),
    }
}

/// Reads a document in which there must be nothing.
struct Nothing<'r>(&'r Reading);

impl<'de> DeserializeSeed<'de> for Nothing<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

macro_rules! refuse_scalars {
    ($($visit:ident: $type:ty),*) => {
        $(fn $visit<E: Error>(self, _: $type) -> Result<(), E> {
            Err(self.0.refuse(Refusal::SecondDocument))
        })*
    };
}

impl<'de> Visitor<'de> for Nothing<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the end of the file")
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    refuse_scalars!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_i128: i128,
        visit_u128: u128, visit_f64: f64, visit_str: &str);

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(self.0.refuse(Refusal::SecondDocument))
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(self.0.refuse(Refusal::SecondDocument))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(self.0.refuse(Refusal::SecondDocument))
    }
}

/// What a reading knows of itself: what the tree has used up so far, where it is, and why it was given up.
#[derive(Default)]
struct Reading {
    /// Aliases are expanded, so the tree can outgrow its text.
    nodes: Cell<usize>,
    text_bytes: Cell<usize>,
    /// Path of the value that is being read.
    path: RefCell<String>,
    /// Set before an error of ours is raised: one that the parser raises leaves it empty.
    refusal: RefCell<Option<Refusal>>,
}

impl Reading {
    fn refuse<E: Error>(&self, refusal: Refusal) -> E {
        let error = E::custom(&refusal);
        self.refusal.replace(Some(refusal));
        error
    }

    /// Adds to a counter; an error beyond `limit`.
    fn spend<E: Error>(
        &self,
        spent: &Cell<usize>,
        more: usize,
        limit: usize,
        unit: &'static str,
    ) -> Result<(), E> {
        spent.set(spent.get() + more);
        if spent.get() > limit {
            return Err(self.refuse(Refusal::Large { limit, unit }));
        }
        Ok(())
    }

    /// Reads what is at `path`; where that fails, the path stays.
    fn at<T, E>(&self, path: String, read: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let before = self.path.replace(path);
        let value = read()?;
        self.path.replace(before);
        Ok(value)
    }
}

/// Reads one node at a depth, and counts it.
#[derive(Clone, Copy)]
struct Seed<'r> {
    depth: usize,
    reading: &'r Reading,
}

impl Seed<'_> {
    fn below(self) -> Self {
        Self {
            depth: self.depth + 1,
            ..self
        }
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        let reading = self.reading;
        reading.spend(&reading.nodes, 1, MAX_NODES, "values")?;
        if self.depth > MAX_DEPTH {
            return Err(reading.refuse(Refusal::Deep));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    /// A document without any value.
    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Int(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Int(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Node, E> {
        Ok(Node::Int(value))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Node, E> {
        // Beyond i128 no key accepts the number anyway.
        Ok(i128::try_from(value).map_or(Node::Float(value as f64), Node::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Float(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        let spent = &self.reading.text_bytes;
        self.reading
            .spend(spent, text.len(), MAX_BYTES, "bytes of text")?;
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        loop {
            let path = format!("{}[{}]", self.reading.path.borrow(), nodes.len());
            let next = || list.next_element_seed(self.below());
            match self.reading.at(path, next)? {
                Some(node) => nodes.push(node),
                None => return Ok(Node::List(nodes)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut seen = HashSet::new();
        let mut entries = Vec::new();
        let reading = self.reading;
        while let Some(key) = map.next_key_seed(Key {
            seen: &mut seen,
            reading,
        })? {
            let path = join(&reading.path.borrow(), &key);
            let node = reading.at(path, || map.next_value_seed(self.below()))?;
            entries.push((key, node));
        }
        Ok(Node::Map(entries))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<Node, A::Error> {
        Err(self.reading.refuse(Refusal::Tag))
    }
}

/// Reads one key of a mapping. Errors are raised here, so that they carry the key's place.
struct Key<'s> {
    seen: &'s mut HashSet<String>,
    reading: &'s Reading,
}

impl Key<'_> {
    fn refuse<E: Error>(&self, no_key: NoKey) -> Result<String, E> {
        Err(self.reading.refuse(Refusal::Key(no_key)))
    }
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_any(self)
    }
}

macro_rules! no_keys {
    ($($visit:ident: $type:ty),*) => {
        $(fn $visit<E: Error>(self, value: $type) -> Result<String, E> {
            self.refuse(NoKey::Scalar(value.to_string()))
        })*
    };
}

impl<'de> Visitor<'de> for Key<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text as a key")
    }

    no_keys!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_i128: i128,
        visit_u128: u128, visit_f64: f64);

    fn visit_unit<E: Error>(self) -> Result<String, E> {
        self.refuse(NoKey::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<String, A::Error> {
        self.refuse(NoKey::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<String, A::Error> {
        self.refuse(NoKey::Map)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<String, A::Error> {
        Err(self.reading.refuse(Refusal::Tag))
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<String, E> {
        if key == "<<" {
            return Err(self.reading.refuse(Refusal::MergeKey));
        }
        if key.len() > MAX_KEY_BYTES {
            return Err(self.reading.refuse(Refusal::LongKey));
        }
        if !self.seen.insert(key.to_owned()) {
            return Err(self.reading.refuse(Refusal::Twice(key.to_owned())));
        }
        Ok(key.to_owned())
    }
}
