//! Typed values of a node, and what is wrong with one that has another type or another value.

use std::{fmt, ops::RangeInclusive};

use crate::{Node, ProblemKind, characters::named, scalar, suggest};

/// What is wrong with a value, wherever it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// What kind of mistake.
    pub kind: ProblemKind,
    /// What was found and what is allowed. Lower case, no trailing dot.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whether the value would be right in quotes.
    pub wants_quotes: bool,
}

impl Mistake {
    /// A mistake without a hint.
    pub fn new(kind: ProblemKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
            wants_quotes: false,
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

    /// A value that is no text, and would be one in quotes.
    fn no_text(found: &Node) -> Self {
        Self {
            wants_quotes: *found != Node::Null,
            ..Self::wrong_type("text", found)
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
            Self::List(_) | Self::Map(_) | Self::Null => Err(Mistake::no_text(self)),
            scalar => Err(Mistake::no_text(self).hint(format!("put it in quotes: \"{scalar}\""))),
        }
    }

    /// Text that names something, as a path does: without control characters, which double quotes make of backslashes.
    pub fn name(&self) -> Result<&str, Mistake> {
        let text = self.text()?;
        let Some(control) = text.chars().find(|c| c.is_control()) else {
            return Ok(text);
        };
        let message = format!("{self} has {} in it", named(control));
        Err(Mistake::out_of_range(message)
            .hint("a backslash in double quotes begins an escape; use / or single quotes"))
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
        let Some(value) = self.whole() else {
            let expected = format!("a whole number, {}", Span(range));
            return Err(no_whole_number(expected, self));
        };
        T::try_from(value)
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
                return Err(no_number(expected, other));
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
            Self::Text(_) => Err(whole(self.neither(word, "a whole number", range))),
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
        let found = match self {
            Self::Text(text) if is_number(text) => format!("the text \"{text}\""),
            other => other.to_string(),
        };
        let message = format!("{found} is neither {word} nor {number}, {}", Span(range));
        with_number(Mistake::out_of_range(message), self)
    }

    /// The whole number that it is, also when it is written with a point or an exponent, as `1.0` and `1e3`.
    pub fn whole(&self) -> Option<i128> {
        /// Beyond it not every whole number has its own float.
        const LARGEST: f64 = 9_007_199_254_740_992.0;
        match self {
            Self::Int(value) => Some(*value),
            Self::Float(value) if value.fract() == 0.0 && value.abs() <= LARGEST => {
                Some(*value as i128)
            }
            _ => None,
        }
    }

    /// `true` or `false`.
    pub fn boolean(&self) -> Result<bool, Mistake> {
        match self {
            Self::Bool(value) => Ok(*value),
            Self::Text(text) => Err(no_boolean(self, text)),
            other => Err(Mistake::wrong_type("true or false", other)),
        }
    }

    /// One of a few words; `noun` says what they are, as in `a model`.
    pub fn word<'w>(
        &self,
        noun: &str,
        words: impl IntoIterator<Item = &'w str> + Clone,
    ) -> Result<&'w str, Mistake> {
        let Self::Text(text) = self else {
            let known: Vec<&str> = words.into_iter().collect();
            return Err(Mistake::wrong_type(listed(&known), self));
        };
        let text = text.as_str();
        if let Some(word) = words.clone().into_iter().find(|word| *word == text) {
            return Ok(word);
        }
        let known: Vec<&str> = words.clone().into_iter().collect();
        let message = format!("{self} is not {noun}; expected {}", listed(&known));
        let mistake = Mistake::out_of_range(message);
        let bare = text.trim_matches(['“', '”', '„', '‘', '’', '«', '»', '\u{a0}', '\u{200b}']);
        // The begin of one is meant for it, whatever else is near.
        let begun = known
            .iter()
            .find(|word| bare.len() > 1 && word.starts_with(bare));
        Err(match begun.copied().or_else(|| suggest(bare, words)) {
            Some(near) => mistake.hint(format!("did you mean `{near}`?")),
            None => mistake,
        })
    }
}

/// A value where a number must be: one in quotes is named as the text that it is.
fn no_number(expected: impl fmt::Display, found: &Node) -> Mistake {
    let mistake = match found {
        Node::Text(text) if is_number(text) => Mistake::new(
            ProblemKind::WrongType,
            format!("expected {expected}; found the text \"{text}\""),
        ),
        found => Mistake::wrong_type(expected, found),
    };
    with_number(mistake, found)
}

/// The same where the number must be a whole one.
pub fn no_whole_number(expected: impl fmt::Display, found: &Node) -> Mistake {
    whole(no_number(expected, found))
}

/// A mistake without the hint to write a number that is no whole one.
fn whole(mistake: Mistake) -> Mistake {
    let number = mistake
        .hint
        .as_deref()
        .and_then(|hint| hint.strip_prefix("write "));
    match number.map(scalar) {
        Some(Node::Float(_)) => mistake.hint("write a whole number"),
        _ => mistake,
    }
}

/// The same with what to write, for a text that is meant as a number.
fn with_number(mistake: Mistake, found: &Node) -> Mistake {
    let text = match found {
        Node::Text(text) => text,
        Node::Float(value) if value.is_finite() && value.fract() == 0.0 => {
            return mistake.hint("write all of its digits, without a point or an exponent");
        }
        _ => return mistake,
    };
    if is_number(text) {
        return mistake.hint("write it without quotes");
    }
    match meant_number(text) {
        Some(number) => mistake.hint(format!("write {number}")),
        None => mistake,
    }
}

/// Whether a text is a number when no quotes are around it.
fn is_number(text: &str) -> bool {
    matches!(scalar(text), Node::Int(_) | Node::Float(_))
}

/// The number that people mean by `1_000`, `1,000`, `2,5`, `010`, `30s`, `50 %` and the like.
fn meant_number(text: &str) -> Option<String> {
    let text: String = text.trim().chars().map(ascii_digit).collect();
    let end = text.find(|c: char| {
        !c.is_ascii_digit() && !matches!(c, '_' | ',' | '.' | '\'' | '+' | '-' | ' ')
    });
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let is_unit = unit.chars().count() <= 8 && unit.chars().all(|c| c.is_alphabetic() || c == '%');
    let groups: Vec<&str> = number.trim().split(['_', ',', '\'', ' ']).collect();
    let number = match groups[..] {
        [one] => one.to_owned(),
        [whole, fraction] if number.contains(',') && fraction.len() != 3 => {
            format!("{whole}.{fraction}")
        }
        [_, ref thousands @ ..] if thousands.iter().all(|group| group.len() == 3) => {
            groups.concat()
        }
        _ => return None,
    };
    let (sign, digits) = match number.strip_prefix(['+', '-']) {
        Some(digits) => (number.starts_with('-'), digits),
        None => (false, number.as_str()),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let digits = match digits.trim_start_matches('0') {
        rest if rest.starts_with(|c: char| c.is_ascii_digit()) => rest.to_owned(),
        rest => format!("0{rest}"),
    };
    let number = if sign { format!("-{digits}") } else { digits };
    (is_unit && is_number(&number)).then_some(number)
}

/// Full-width digits as those of ASCII.
fn ascii_digit(c: char) -> char {
    match c {
        '０'..='９' => char::from_u32(u32::from(c) - 0xff10 + u32::from('0')).unwrap_or(c),
        '．' => '.',
        c => c,
    }
}

fn no_boolean(found: &Node, text: &str) -> Mistake {
    let value = match text.to_lowercase().as_str() {
        "true" | "yes" | "on" | "y" => true,
        "false" | "no" | "off" | "n" => false,
        _ => return Mistake::wrong_type("true or false", found),
    };
    if matches!(scalar(text), Node::Bool(_)) {
        let message = format!("expected true or false; found the text \"{text}\"");
        return Mistake::new(ProblemKind::WrongType, message).hint("write it without quotes");
    }
    Mistake::wrong_type("true or false", found).hint(format!("write {value}"))
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
        assert_eq!(mistake.message, "expected auto, events or poll; found 3");
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
    fn what_is_meant_as_a_number_or_a_truth_value_is_told() {
        assert_eq!(Node::Float(1.0).integer(&(1..=9_u32)), Ok(1));
        assert_eq!(Node::Float(1e3).integer(&(1..=u64::MAX)), Ok(1000));
        assert!(Node::Float(1e18).integer(&(1..=u64::MAX)).is_err());
        let told = |mistake: Mistake| match mistake.hint {
            Some(hint) => format!("{} ({hint})", mistake.message),
            None => mistake.message,
        };
        for (found, expected) in [
            ("1", "the text \"1\" (write it without quotes)"),
            ("1e3", "the text \"1e3\" (write it without quotes)"),
            ("0x10", "the text \"0x10\" (write it without quotes)"),
            ("1_000", "`1_000` (write 1000)"),
            ("1,000", "`1,000` (write 1000)"),
            ("1'000'000", "`1'000'000` (write 1000000)"),
            ("2,5", "`2,5` (write a whole number)"),
            ("010", "`010` (write 10)"),
            ("-05", "`-05` (write -5)"),
            ("30s", "`30s` (write 30)"),
            ("50 %", "`50 %` (write 50)"),
            ("1.5 GB", "`1.5 GB` (write a whole number)"),
            ("３０", "`３０` (write 30)"),
            ("many", "`many`"),
            ("12:30", "`12:30`"),
            ("1,2,3", "`1,2,3`"),
            ("", "``"),
        ] {
            let mistake = text(found).integer(&(1..=9_u32)).unwrap_err();
            let expected = format!("expected a whole number, 1 to 9; found {expected}");
            assert_eq!(told(mistake), expected);
            assert!(text(found).number(&(1.0..=9.0)).is_err());
        }
        let mistake = text("6").number_or("auto", &(2.0..=9.0)).unwrap_err();
        let expected =
            "the text \"6\" is neither auto nor a number, 2 to 9 (write it without quotes)";
        assert_eq!(told(mistake), expected);
        for (found, expected) in [
            ("true", "the text \"true\" (write it without quotes)"),
            ("Yes", "`Yes` (write true)"),
            ("off", "`off` (write false)"),
            ("maybe", "`maybe`"),
        ] {
            let mistake = text(found).boolean().unwrap_err();
            let expected = format!("expected true or false; found {expected}");
            assert_eq!(told(mistake), expected);
        }
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
