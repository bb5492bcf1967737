//! What is wrong with a file: one value per mistake, so that a user can mend all at once.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Location, Mistake, Place, characters::shown, locate, quoted, source::as_written};

/// Most mistakes of one file that are reported.
pub const MAX_REPORTED: usize = 20;

/// Kind of a mistake; `framepack-jobs` has the error code of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// A key that the schema does not have.
    UnknownKey,
    /// A value of another type.
    WrongType,
    /// A value outside its range, or none of those possible.
    OutOfRange,
    /// A required key that is not there.
    MissingKey,
    /// A key with nothing in it, where there must be something.
    EmptyValue,
    /// A key or value of the full schema that this version does not carry out.
    NotAvailable,
    /// Not YAML, or YAML beyond the accepted subset (tags, size, depth).
    Syntax,
    /// A path that leaves the folder it must stay in.
    PathEscape,
}

impl ProblemKind {
    /// What a reader wants to be shown: the key itself, or what stands behind it.
    fn place(self) -> Place {
        match self {
            Self::UnknownKey
            | Self::NotAvailable
            | Self::MissingKey
            | Self::EmptyValue
            | Self::Syntax => Place::Key,
            Self::WrongType | Self::OutOfRange | Self::PathEscape => Place::Value,
        }
    }
}

/// One mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What kind of mistake.
    pub kind: ProblemKind,
    /// The key's path, as in `guidance.distilled`; empty for the file as a whole.
    pub path: String,
    /// What was found and what is allowed. Lower case, no trailing dot.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Where in the file, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// Whether the value would be right in quotes, which its place in the file shows.
    #[serde(skip)]
    pub wants_quotes: bool,
    /// The hint, if there must be keys at the path.
    #[serde(skip)]
    pub(crate) hint_in_section: Option<Box<str>>,
}

impl Problem {
    /// A mistake of the value at `path`.
    pub fn at(path: impl Into<String>, mistake: Mistake) -> Self {
        Self {
            hint: mistake.hint.as_deref().map(shown),
            wants_quotes: mistake.wants_quotes,
            ..Self::new(mistake.kind, path, mistake.message)
        }
    }

    /// A mistake at `path`, without hint and location.
    pub fn new(kind: ProblemKind, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind,
            path: path.into(),
            message: shown(&message.into()),
            hint: None,
            location: None,
            wants_quotes: false,
            hint_in_section: None,
        }
    }

    /// The same of a file with another hint where its schema has keys below the path.
    #[must_use]
    pub fn in_schema(mut self, is_section: impl FnOnce(&str) -> bool) -> Self {
        if let Some(hint) = self.hint_in_section.take()
            && is_section(&self.path)
        {
            self.hint = Some(hint.into());
        }
        self
    }

    /// Says of a value that was to be text how it is written: the value itself has lost a part of it, as 1.50 has.
    fn written_as(&mut self, written: Option<&str>) {
        let Some(written) = written else {
            return;
        };
        if !written.starts_with(['[', '{']) {
            self.message = shown(&format!("expected text; found {written}"));
        }
        self.hint = Some(shown(&format!("put it in quotes: {}", quoted(written))));
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(shown(&hint.into()));
        self
    }
}

impl fmt::Display for Problem {
    /// `line 4, column 8: steps: 500 is out of range (1 to 100)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(location) = self.location {
            write!(f, "{location}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", shown(&self.path))?;
        }
        f.write_str(&self.message)
    }
}

/// Everything that is wrong with one file, in the order of discovery. As an error it is never empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Adds a mistake.
    pub fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// Adds the mistakes of `others`.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// The same with each mistake replaced by what `f` makes of it.
    #[must_use]
    pub fn map(self, f: impl FnMut(Problem) -> Problem) -> Self {
        Self(self.0.into_iter().map(f).collect())
    }

    /// `value`, unless something is wrong.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }

    /// The same with the place of each mistake in `text`, the file that they were found in, and in its order.
    ///
    /// Of a file that is all mistakes the first [`MAX_REPORTED`] are kept: each costs a look through the text.
    #[must_use]
    pub fn located_in(mut self, text: &str) -> Self {
        let more = self.0.len().saturating_sub(MAX_REPORTED);
        self.0.truncate(MAX_REPORTED);
        for problem in &mut self.0 {
            if problem.location.is_none() {
                problem.location = locate(text, &problem.path, problem.kind.place());
            }
            if problem.wants_quotes
                && let Some(at) = locate(text, &problem.path, Place::Value)
            {
                problem.written_as(as_written(text, at));
            }
        }
        // What is nowhere, as it is missing, comes last.
        self.0.sort_by_key(|problem| {
            let at = problem.location;
            at.map_or((usize::MAX, 0), |at| (at.line, at.column))
        });
        if more > 0 {
            let mistakes = if more == 1 { "mistake" } else { "mistakes" };
            let message = format!("and {more} more {mistakes}");
            self.0.push(Problem::new(ProblemKind::Syntax, "", message));
        }
        self
    }

    /// The mistakes.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    /// One line a mistake, hints behind it in parentheses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
            if let Some(hint) = &problem.hint {
                write!(f, " ({hint})")?;
            }
        }
        Ok(())
    }
}
