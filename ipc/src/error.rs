//! Errors as they cross the socket and appear in JSON: stable code, class, words, hint, place.

use std::fmt;

use framepack_jobs::{
    AnyCode, Class, Code, Failure, Problem,
    settings::{UnknownProfile, UnknownSetting},
};
use serde::{Deserialize, Serialize};

use crate::status::Note;

/// An error for the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// Stable code; in JSON with who is at `fault`.
    #[serde(flatten)]
    pub code: AnyCode,
    /// What kind of error; framepackctl's exit code goes by it.
    pub class: Class,
    /// What failed, where, with which values. Lower case, no trailing dot.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The key of the job file, or the file, that is at fault.
    pub path: Option<String>,
}

impl ErrorBody {
    /// An error with the class and the hint of its code, without path.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Failure::new(code, message).into()
    }

    /// The same with another hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with the key or file at fault.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }
}

impl From<&Problem> for ErrorBody {
    fn from(problem: &Problem) -> Self {
        Self {
            // The message says what is allowed; the code's hint would only repeat it for every mistake of a file.
            hint: problem.hint.clone(),
            path: (!problem.path.is_empty()).then(|| problem.path.clone()),
            ..Self::new(problem.kind.into(), problem.to_string())
        }
    }
}

impl From<Failure> for ErrorBody {
    fn from(failure: Failure) -> Self {
        Self {
            code: failure.code,
            class: failure.class.of_command(),
            message: failure.message,
            hint: failure.hint,
            path: None,
        }
    }
}

impl From<UnknownSetting> for ErrorBody {
    fn from(unknown: UnknownSetting) -> Self {
        let error = Self::new(Code::USAGE, unknown.to_string());
        match unknown.near {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("`config show` without a key lists all"),
        }
    }
}

impl From<UnknownProfile> for ErrorBody {
    fn from(unknown: UnknownProfile) -> Self {
        let error = Self::new(Code::USAGE, unknown.to_string());
        match unknown.near {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(
                "docs/SETTINGS.md lists those that are built in, `config show presets` the farm's",
            ),
        }
    }
}

impl From<Note> for ErrorBody {
    fn from(note: Note) -> Self {
        Self {
            class: note.code.class().of_command(),
            code: note.code,
            message: note.message,
            hint: note.hint,
            path: None,
        }
    }
}

impl std::error::Error for ErrorBody {}

impl fmt::Display for ErrorBody {
    /// `FP2103: line 4, column 8: steps: 500 is out of range (1 to 100)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}
