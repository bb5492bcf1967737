//! Typed values out of a YAML mapping, with every mistake noted and none fatal.

use std::{fmt, ops::RangeInclusive};

use crate::{Node, Problem, ProblemKind, Problems, node::join, suggest};

/// A mapping at a path, whose keys are known.
///
/// The readers return `None` for an absent or empty key and for a wrong value; the latter is noted in `problems`.
#[derive(Debug)]
pub struct Table<'n> {
    path: String,
    entries: &'n [(String, Node)],
}

impl<'n> Table<'n> {
    /// The document's root, which must be a mapping with no keys but `keys`.
    pub fn root(node: &'n Node, keys: &[&str], problems: &mut Problems) -> Self {
        Self::new(String::new(), node, keys, problems)
    }

    /// The mapping behind `key`; an empty one if it is absent.
    #[must_use]
    pub fn table(&self, key: &str, keys: &[&str], problems: &mut Problems) -> Table<'n> {
        let path = join(&self.path, key);
        let node = self.get(key).unwrap_or(&Node::Null);
        Table::new(path, node, keys, problems)
    }

    fn new(path: String, node: &'n Node, keys: &[&str], problems: &mut Problems) -> Self {
        let entries: &[_] = match node {
            Node::Map(entries) => entries,
            Node::Null => &[],
            other => {
                let message = format!("expected a mapping with keys; found {other}");
                let problem = Problem::new(ProblemKind::WrongType, &path, message);
                problems.push(problem.hint(known_here(keys)));
                &[]
            }
        };
        for (key, _) in entries
            .iter()
            .filter(|(key, _)| !keys.contains(&key.as_str()))
        {
            problems.push(unknown_key(&path, key, keys));
        }
        Self { path, entries }
    }

    /// The value of `key`; `None` also for a key without a value.
    pub fn get(&self, key: &str) -> Option<&'n Node> {
        let (_, node) = self.entries.iter().find(|(name, _)| name == key)?;
        (*node != Node::Null).then_some(node)
    }

    /// Text.
    pub fn text(&self, key: &str, problems: &mut Problems) -> Option<&'n str> {
        match self.get(key)? {
            Node::Text(text) => Some(text),
            other => {
                let hint = match other {
                    Node::List(_) | Node::Map(_) | Node::Null => None,
                    scalar => Some(format!("put it in quotes: \"{scalar}\"")),
                };
                let problem = self.wrong_type(key, "text", other);
                problems.push(Problem { hint, ..problem });
                None
            }
        }
    }

    /// A whole number in a range.
    pub fn integer<T>(
        &self,
        key: &str,
        range: &RangeInclusive<T>,
        problems: &mut Problems,
    ) -> Option<T>
    where
        T: TryFrom<i128> + PartialOrd + fmt::Display,
    {
        let node = self.get(key)?;
        let Node::Int(value) = node else {
            problems.push(self.wrong_type(key, &format!("a whole number, {}", span(range)), node));
            return None;
        };
        let value = T::try_from(*value)
            .ok()
            .filter(|value| range.contains(value));
        if value.is_none() {
            problems.push(self.out_of_range(key, node, range));
        }
        value
    }

    /// A finite number in a range, with or without a point.
    pub fn number(
        &self,
        key: &str,
        range: &RangeInclusive<f64>,
        problems: &mut Problems,
    ) -> Option<f64> {
        let node = self.get(key)?;
        let value = match node {
            Node::Int(value) => *value as f64,
            Node::Float(value) => *value,
            other => {
                problems.push(self.wrong_type(key, &format!("a number, {}", span(range)), other));
                return None;
            }
        };
        if !range.contains(&value) {
            problems.push(self.out_of_range(key, node, range));
            return None;
        }
        Some(value)
    }

    /// `true` or `false`.
    pub fn boolean(&self, key: &str, problems: &mut Problems) -> Option<bool> {
        match self.get(key)? {
            Node::Bool(value) => Some(*value),
            other => {
                problems.push(self.wrong_type(key, "true or false", other));
                None
            }
        }
    }

    /// A mistake at `key`.
    pub fn problem(&self, kind: ProblemKind, key: &str, message: impl Into<String>) -> Problem {
        Problem::new(kind, join(&self.path, key), message)
    }

    /// A value of another type than `expected`.
    pub fn wrong_type(&self, key: &str, expected: &str, found: &Node) -> Problem {
        let message = format!("expected {expected}; found {found}");
        self.problem(ProblemKind::WrongType, key, message)
    }

    fn out_of_range<T: fmt::Display>(
        &self,
        key: &str,
        found: &Node,
        range: &RangeInclusive<T>,
    ) -> Problem {
        let message = format!("{found} is not in {}", span(range));
        self.problem(ProblemKind::OutOfRange, key, message)
    }
}

fn span<T: fmt::Display>(range: &RangeInclusive<T>) -> String {
    format!("{} to {}", range.start(), range.end())
}

fn unknown_key(path: &str, key: &str, keys: &[&str]) -> Problem {
    let hint = match suggest(key, keys.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => known_here(keys),
    };
    Problem::new(ProblemKind::UnknownKey, join(path, key), "unknown key").hint(hint)
}

fn known_here(keys: &[&str]) -> String {
    format!("known here: {}", keys.join(", "))
}
