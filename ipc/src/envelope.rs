//! The JSON that framepackctl prints and that reports are made of.

use std::io::{self, Write};

use framepack_jobs::{API, Problems};
use serde::{Deserialize, Serialize};

use crate::{ErrorBody, text::harmless};

/// `{"api":"framepack/v1","kind":"JobList","items":[…],"warnings":[]}`
///
/// Within v1 keys are only added; times are RFC 3339 in UTC, durations seconds, sizes bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope<T> {
    /// Version of the schema.
    pub api: String,
    /// What the items are.
    pub kind: String,
    /// The items.
    pub items: Vec<T>,
    /// What the reader should know beside them.
    pub warnings: Vec<String>,
}

impl<T> Envelope<T> {
    /// Items of a kind, without warnings.
    pub fn new(kind: &str, items: Vec<T>) -> Self {
        Self {
            api: API.to_owned(),
            kind: kind.to_owned(),
            items,
            warnings: Vec::new(),
        }
    }
}

/// `{"error":{"code":"FP2103","fault":"job","class":"validation","message":…,"hint":…,"path":"steps"}}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorEnvelope {
    /// The error.
    pub error: ErrorBody,
    /// Further mistakes of the same file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<ErrorBody>,
}

impl ErrorEnvelope {
    /// Writes the errors as people read them: `error: … [FP2103]`, and the hint on a line of its own. A terminal finds
    /// nothing to obey in them.
    pub fn tell(&self, to: &mut impl Write) -> io::Result<()> {
        for error in std::iter::once(&self.error).chain(&self.more) {
            let what = error.code.behind(&harmless(&error.message));
            writeln!(to, "error: {what}")?;
            if let Some(hint) = &error.hint {
                writeln!(to, "hint: {}", harmless(hint))?;
            }
        }
        Ok(())
    }
}

impl From<ErrorBody> for ErrorEnvelope {
    fn from(error: ErrorBody) -> Self {
        Self {
            error,
            more: Vec::new(),
        }
    }
}

impl From<&Problems> for ErrorEnvelope {
    /// The first mistake of a file, and the others.
    fn from(problems: &Problems) -> Self {
        let mut mistakes = problems.iter().map(ErrorBody::from);
        Self {
            error: mistakes
                .next()
                .expect("Problems::or makes an error of one mistake or more"),
            more: mistakes.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use framepack_jobs::{Problem, ProblemKind};

    use super::*;

    #[test]
    fn the_keys_are_those_of_the_schema() {
        let envelope = Envelope::new("JobList", vec![1]);
        assert_eq!(
            serde_json::to_string(&envelope).unwrap(),
            r#"{"api":"framepack/v1","kind":"JobList","items":[1],"warnings":[]}"#
        );
        let mut problems = Problems::default();
        problems.push(
            Problem::new(
                ProblemKind::OutOfRange,
                "steps",
                "0 is out of range (1 to 100)",
            )
            .hint("more"),
        );
        assert_eq!(
            serde_json::to_string(&ErrorEnvelope::from(&problems)).unwrap(),
            r#"{"error":{"code":"FP2103","fault":"job","class":"validation","message":"steps: 0 is out of range (1 to 100)","hint":"more","path":"steps"}}"#
        );
    }
}
