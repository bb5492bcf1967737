//! Typed values of a node, and what is wrong with one that has another type or another value.

use std::{fmt, ops::RangeInclusive};

use crate::{Node, ProblemKind, suggest};

/// What is wrong with a value, wherever it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// What kind of mistake.
    pub kind: ProblemKind,
    /// What was found and what is allowed. Lower case, no trailing dot.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Mistake {
    /// A mistake without a hint.
    pub fn new(kind: ProblemKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
        }
    }

    /// A value that is none of those possible.
    pub fn out_of_range(message: impl Into<String>) -> Self {
        Self::new(ProblemKind::OutOfRange, message)
    }

    /// A value of another type than `expected`.
    pub fn wrong_type(expected: impl fmt::Display, found: &Node) -> Self {
        let message = format!("expected {expected}; found {found}");
        Self::new(ProblemKind::WrongType, message)
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    fn outside<T: fmt::Display>(found: &Node, range: &RangeInclusive<T>) -> Self {
        Self::out_of_range(format!("{found} is out of range ({})", Span(range)))
    }
}

/// `1 to 100`
struct Span<'r, T>(&'r RangeInclusive<T>);

impl<T: fmt::Display> fmt::Display for Span<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.0.start(), self.0.end())
    }
}

impl Node {
    /// Text.
    pub fn text(&self) -> Result<&str, Mistake> {
        match self {
            Self::Text(text) => Ok(text),
            Self::List(_) | Self::Map(_) | Self::Null => Err(Mistake::wrong_type("text", self)),
            scalar => {
                Err(Mistake::wrong_type("text", self)
                    .hint(format!("put it in quotes: \"{scalar}\"")))
            }
        }
    }

    /// One text, or a list of them that is not empty.
    pub fn texts(&self) -> Result<Vec<&str>, Mistake> {
        let items = match self {
            Self::List(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        let texts: Result<Vec<&str>, _> = items.iter().map(Self::text).collect();
        match texts {
            Ok(texts) if !texts.is_empty() => Ok(texts),
            _ => Err(Mistake::wrong_type("text or a list of texts", self)),
        }
    }

    /// A whole number in a range.
    pub fn integer<T>(&self, range: &RangeInclusive<T>) -> Result<T, Mistake>
    where
        T: TryFrom<i128> + PartialOrd + fmt::Display,
    {
        let Self::Int(value) = self else {
            let expected = format!("a whole number, {}", Span(range));
            return Err(Mistake::wrong_type(expected, self));
        };
        T::try_from(*value)
            .ok()
            .filter(|value| range.contains(value))
            .ok_or_else(|| Mistake::outside(self, range))
    }

    /// A finite number in a range, with or without a point.
    pub fn number(&self, range: &RangeInclusive<f64>) -> Result<f64, Mistake> {
        let value = match self {
            Self::Int(value) => *value as f64,
            Self::Float(value) => *value,
            other => {
                let expected = format!("a number, {}", Span(range));
                return Err(Mistake::wrong_type(expected, other));
            }
        };
        if range.contains(&value) {
            Ok(value)
        } else {
            Err(Mistake::outside(self, range))
        }
    }

    /// A whole number in a range, or `word`: `None`.
    pub fn integer_or<T>(&self, word: &str, range: &RangeInclusive<T>) -> Result<Option<T>, Mistake>
    where
        T: TryFrom<i128> + PartialOrd + fmt::Display,
    {
        match self {
            Self::Text(text) if text == word => Ok(None),
            Self::Text(_) => Err(self.neither(word, "a whole number", range)),
            other => other.integer(range).map(Some),
        }
    }

    /// A finite number in a range, or `word`: `None`.
    pub fn number_or(
        &self,
        word: &str,
        range: &RangeInclusive<f64>,
    ) -> Result<Option<f64>, Mistake> {
        match self {
            Self::Text(text) if text == word => Ok(None),
            Self::Text(_) => Err(self.neither(word, "a number", range)),
            other => other.number(range).map(Some),
        }
    }

    fn neither<T: fmt::Display>(
        &self,
        word: &str,
        number: &str,
        range: &RangeInclusive<T>,
    ) -> Mistake {
        let message = format!("{self} is neither {word} nor {number}, {}", Span(range));
        Mistake::out_of_range(message)
    }

    /// `true` or `false`.
    pub fn boolean(&self) -> Result<bool, Mistake> {
        match self {
            Self::Bool(value) => Ok(*value),
            other => Err(Mistake::wrong_type("true or false", other)),
        }
    }

    /// One of a few words; `noun` says what they are, as in `a model`.
    pub fn word<'w>(
        &self,
        noun: &str,
        words: impl IntoIterator<Item = &'w str> + Clone,
    ) -> Result<&'w str, Mistake> {
        let text = self.text()?;
        if let Some(word) = words.clone().into_iter().find(|word| *word == text) {
            return Ok(word);
        }
        let known: Vec<&str> = words.clone().into_iter().collect();
        let message = format!("{self} is not {noun}; expected {}", listed(&known));
        let mistake = Mistake::out_of_range(message);
        Err(match suggest(text, words) {
            Some(near) => mistake.hint(format!("did you mean `{near}`?")),
            None => mistake,
        })
    }
}

/// `a`, `a or b`, `a, b or c`
fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Node {
        Node::Text(text.to_owned())
    }

    #[test]
    fn words_are_listed_and_the_nearest_is_suggested() {
        let words = ["auto", "events", "poll"];
        assert_eq!(text("poll").word("a mode", words), Ok("poll"));
        let mistake = text("pol").word("a mode", words).unwrap_err();
        assert_eq!(
            mistake.message,
            "`pol` is not a mode; expected auto, events or poll"
        );
        assert_eq!(mistake.hint.as_deref(), Some("did you mean `poll`?"));
        let mistake = Node::Int(3).word("a mode", words).unwrap_err();
        assert_eq!(mistake.message, "expected text; found 3");
    }

    #[test]
    fn numbers_keep_their_range_and_type() {
        assert_eq!(Node::Int(4).integer(&(1..=9_u32)), Ok(4));
        let message = |node: Node| node.integer(&(1..=9_u32)).unwrap_err().message;
        assert_eq!(message(Node::Int(10)), "10 is out of range (1 to 9)");
        assert_eq!(
            message(Node::Int(i128::MAX)),
            format!("{} is out of range (1 to 9)", i128::MAX)
        );
        assert_eq!(
            message(Node::Float(2.5)),
            "expected a whole number, 1 to 9; found 2.5"
        );
        assert_eq!(Node::Int(2).number(&(1.0..=9.0)), Ok(2.0));
        assert!(Node::Float(f64::NAN).number(&(1.0..=9.0)).is_err());
    }

    #[test]
    fn one_text_is_a_list_of_one() {
        assert_eq!(text("a").texts(), Ok(vec!["a"]));
        let list = Node::List(vec![text("a"), text("b")]);
        assert_eq!(list.texts(), Ok(vec!["a", "b"]));
        for node in [Node::List(Vec::new()), Node::List(vec![Node::Int(1)])] {
            let message = node.texts().unwrap_err().message;
            assert_eq!(message, "expected text or a list of texts; found a list");
        }
    }
}
