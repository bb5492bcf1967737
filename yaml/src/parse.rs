//! Text to tree: a serde visitor over `serde_yaml`'s events that counts as it goes.
//!
//! An error raised inside the visitor gets line and column from `serde_yaml`.

use std::{cell::Cell, collections::HashSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Visitor};

use crate::{
    Location, MAX_BYTES, MAX_DEPTH, MAX_KEY_BYTES, MAX_NODES, Node, Problem, ProblemKind,
    characters::forbidden,
    encoding::{end_of, without_mark},
    syntax,
};

/// Reads one YAML document. Empty ones before and behind it, as a last `---` makes them, are passed over.
pub fn parse(text: &str) -> Result<Node, Problem> {
    let text = without_mark(text);
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
    let spent = Spent::default();
    let mut root = Node::Null;
    for document in serde_yaml::Deserializer::from_str(text) {
        let read = if root == Node::Null {
            let seed = Seed {
                depth: 0,
                spent: &spent,
            };
            seed.deserialize(document).map(|node| root = node)
        } else {
            Nothing.deserialize(document)
        };
        read.map_err(|error| in_words(text, &error))?;
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
fn in_words(text: &str, error: &serde_yaml::Error) -> Problem {
    let mut message = error.to_string();
    let Some(at) = error.location() else {
        return Problem::new(ProblemKind::Syntax, "", message);
    };
    // Said by `Location` already.
    let place = format!(" at line {} column {}", at.line(), at.column());
    message = message.replacen(&place, "", 1);
    let location = Location {
        line: at.line(),
        column: at.column(),
    };
    syntax::explain(text, location, message)
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
struct Nothing;

impl<'de> DeserializeSeed<'de> for Nothing {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

macro_rules! refuse_scalars {
    ($($visit:ident: $type:ty),*) => {
        $(fn $visit<E: Error>(self, _: $type) -> Result<(), E> {
            Err(E::custom(SECOND_DOCUMENT))
        })*
    };
}

impl<'de> Visitor<'de> for Nothing {
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
        Err(A::Error::custom(SECOND_DOCUMENT))
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(A::Error::custom(SECOND_DOCUMENT))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(A::Error::custom(SECOND_DOCUMENT))
    }
}

/// Raised where something follows the document.
pub(crate) const SECOND_DOCUMENT: &str = "a second document begins here";
/// Raised at a tag.
pub(crate) const TAG: &str = "tags (`!…`) are not accepted";

/// What the tree has used up so far. Aliases are expanded, so it can outgrow its text.
#[derive(Default)]
struct Spent {
    nodes: Cell<usize>,
    text_bytes: Cell<usize>,
}

/// Adds to a counter; an error beyond `limit`.
fn spend<E: Error>(spent: &Cell<usize>, more: usize, limit: usize, unit: &str) -> Result<(), E> {
    spent.set(spent.get() + more);
    if spent.get() > limit {
        let message = format!("more than {limit} {unit}, aliases expanded");
        return Err(E::custom(message));
    }
    Ok(())
}

/// Reads one node at a depth, and counts it.
#[derive(Clone, Copy)]
struct Seed<'s> {
    depth: usize,
    spent: &'s Spent,
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
        spend(&self.spent.nodes, 1, MAX_NODES, "values")?;
        if self.depth > MAX_DEPTH {
            return Err(D::Error::custom(format!(
                "nested deeper than {MAX_DEPTH} levels"
            )));
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
        spend(
            &self.spent.text_bytes,
            text.len(),
            MAX_BYTES,
            "bytes of text",
        )?;
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element_seed(self.below())? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut seen = HashSet::new();
        let mut entries = Vec::new();
        while let Some(key) = map.next_key_seed(Key { seen: &mut seen })? {
            entries.push((key, map.next_value_seed(self.below())?));
        }
        Ok(Node::Map(entries))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<Node, A::Error> {
        Err(A::Error::custom(TAG))
    }
}

/// Reads one key of a mapping. Errors are raised here, so that they carry the key's place.
struct Key<'s> {
    seen: &'s mut HashSet<String>,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text as a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<String, E> {
        if key == "<<" {
            return Err(E::custom("merge keys (`<<`) are not accepted"));
        }
        if key.len() > MAX_KEY_BYTES {
            let message = format!("a key of more than {MAX_KEY_BYTES} bytes");
            return Err(E::custom(message));
        }
        if !self.seen.insert(key.to_owned()) {
            return Err(E::custom(format!("`{key}` is given twice")));
        }
        Ok(key.to_owned())
    }
}
