//! One setting: its key, type, range and default, and how it is read.

mod read;

use std::{fmt, ops::RangeInclusive};

use framepack_yaml::{Mistake, Node};

use super::{standing::Standing, value::Value};
use crate::path;

/// A row of the table.
#[derive(Debug, PartialEq)]
pub struct Row {
    /// The key, as a path in a job file and in the configuration.
    pub key: &'static str,
    /// Type and range.
    pub kind: Kind,
    /// The value of a job for which nobody says anything.
    pub default: Fallback,
    /// Where the key may stand.
    pub scope: Scope,
    /// Which of the farm's values counts for a job.
    pub counts: Counts,
    /// Whether it does what it says.
    pub standing: Standing,
    /// What the Python application calls it.
    pub original: &'static [&'static str],
    /// What it does, in one line.
    pub about: &'static str,
}

/// Where a key may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// In a job.
    Job,
    /// In the daemon's configuration.
    Farm,
    /// In both: a job's own value wins.
    Both,
}

/// Which of the farm's values counts for a job that does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// The one when the job was accepted: it changes the video.
    AtSubmission,
    /// The one when the job begins: it changes the time and the memory that the video takes.
    AtStart,
}

/// Type and range of a setting.
#[derive(Debug, PartialEq)]
pub enum Kind {
    /// A whole number in a range, or one of a few words.
    Integer {
        /// Smallest and largest value.
        range: RangeInclusive<i64>,
        /// A word that may stand instead of a number.
        or: Option<&'static str>,
    },
    /// A number in a range, or one of a few words.
    Number {
        /// Smallest and largest value.
        range: RangeInclusive<f64>,
        /// A word that may stand instead of a number.
        or: Option<&'static str>,
    },
    /// One of a few numbers.
    OneOf {
        /// What they are, as in `a bucket`.
        noun: &'static str,
        /// The numbers, from the smallest on.
        values: &'static [u32],
    },
    /// One of a few words.
    Word {
        /// What they are, as in `a model`.
        noun: &'static str,
        /// The words.
        words: &'static [&'static str],
    },
    /// `on` or `off`.
    Switch,
    /// A name, or a list of names. As a value they are separated by commas.
    Names,
    /// Text.
    Text {
        /// Most bytes of UTF-8.
        max_bytes: usize,
    },
    /// A path.
    Path,
    /// A colour, `#rrggbb`.
    Colour,
    /// `auto`, `random` or a whole number from 0 to 2^64-1.
    Seed,
}

/// The value of a setting that nobody has set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fallback {
    /// This number.
    Integer(i64),
    /// This number.
    Number(f64),
    /// This text.
    Text(&'static str),
    /// What the model bundle says.
    Bundle,
    /// There is none: a job must say.
    Required,
}

impl Row {
    /// The value that a node is.
    pub fn read(&self, node: &Node) -> Result<Value, Mistake> {
        match &self.kind {
            Kind::Integer { range, or: None } => node.integer(range).map(Value::Integer),
            Kind::Integer {
                range,
                or: Some(or),
            } => {
                let integer = node.integer_or(or, range)?;
                Ok(integer.map_or_else(|| Value::from(*or), Value::Integer))
            }
            Kind::Number { range, or: None } => node.number(range).map(Value::Number),
            Kind::Number {
                range,
                or: Some(or),
            } => {
                let number = node.number_or(or, range)?;
                Ok(number.map_or_else(|| Value::from(*or), Value::Number))
            }
            Kind::OneOf { noun, values } => read::one_of(node, noun, values),
            Kind::Word { noun, words } => {
                let word = node.word(noun, words.iter().copied())?;
                Ok(Value::from(word))
            }
            Kind::Switch => read::switch(node),
            Kind::Names => read::names(node),
            Kind::Text { max_bytes } => read::text(node, *max_bytes),
            Kind::Path => path::image(node).map(Value::from),
            Kind::Colour => read::colour(node),
            Kind::Seed => read::seed(node),
        }
    }

    /// The value that a text outside a file is, as in a variable of the environment.
    pub fn read_text(&self, text: &str) -> Result<Value, Mistake> {
        self.read(&self.node_of(text))
    }

    /// The node that a text outside a file is: what needs quotes in a file needs none there.
    pub fn node_of(&self, text: &str) -> Node {
        match self.kind {
            Kind::Text { .. } | Kind::Path | Kind::Colour | Kind::Names => {
                Node::Text(text.to_owned())
            }
            _ => framepack_yaml::scalar(text),
        }
    }

    /// The value that nobody has to set; `None` where the bundle or the job must say.
    pub fn default_value(&self) -> Option<Value> {
        match self.default {
            Fallback::Integer(value) => Some(Value::Integer(value)),
            Fallback::Number(value) => Some(Value::Number(value)),
            Fallback::Text(value) => Some(Value::from(value)),
            Fallback::Bundle | Fallback::Required => None,
        }
    }
}

impl fmt::Display for Kind {
    /// Type and range as the reference has them: `whole number, 1 to 100`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |or: Option<&str>| or.map_or_else(String::new, |or| format!(", or `{or}`"));
        match self {
            Self::Integer { range, or: word } => {
                let (start, end) = range.clone().into_inner();
                write!(f, "whole number, {start} to {end}{}", or(*word))
            }
            Self::Number { range, or: word } => {
                let (start, end) = range.clone().into_inner();
                write!(f, "number, {start} to {end}{}", or(*word))
            }
            Self::OneOf { values, .. } => {
                let values: Vec<String> = values.iter().map(u32::to_string).collect();
                f.write_str(&values.join(", "))
            }
            Self::Word { words, .. } => write!(f, "`{}`", words.join("`, `")),
            Self::Switch => f.write_str("`on`, `off`"),
            Self::Names => f.write_str("a name, or a list of names"),
            Self::Text { max_bytes } => write!(f, "text, at most {max_bytes} bytes"),
            Self::Path => f.write_str("path"),
            Self::Colour => f.write_str("colour, `\"#rrggbb\"`"),
            Self::Seed => f.write_str("`auto`, `random`, or a whole number, 0 to 2^64-1"),
        }
    }
}

impl fmt::Display for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
            Self::Text("") => f.write_str("empty"),
            Self::Text(value) => write!(f, "`{value}`"),
            Self::Bundle => f.write_str("the model bundle's"),
            Self::Required => f.write_str("required"),
        }
    }
}

#[cfg(test)]
mod tests;
