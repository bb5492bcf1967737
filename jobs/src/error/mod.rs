//! Error codes: one table for all crates, from which `docs/ERRORS.md` and `framepackctl explain` are made.
//!
//! A new code is a new row in [`table`]: its number never changes its meaning, and is never used again.

mod any;
mod class;
mod outage;
mod table;

use std::{fmt, str::FromStr};

use framepack_yaml::ProblemKind;

pub use any::AnyCode;
pub use class::{Class, Fault};
pub use outage::Reach;
pub use table::Section;

/// A stable code, `FP` and four digits, with what is known of every error that has it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code(&'static CodeRow);

/// What the table says of a code.
#[derive(Debug, PartialEq, Eq)]
struct CodeRow {
    text: &'static str,
    class: Class,
    fault: Fault,
    meaning: &'static str,
    hint: &'static str,
}

/// Not a code of this version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown error code `{0}`; docs/ERRORS.md lists all, as in FP2103")]
pub struct UnknownCode(String);

impl Code {
    /// All codes, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Self> {
        let sections = Section::ALL.into_iter();
        sections.flat_map(|section| section.codes.iter().copied())
    }

    /// As in `FP2103`.
    pub const fn as_str(self) -> &'static str {
        self.0.text
    }

    /// The class; commands have [`Class::of_command`].
    pub const fn class(self) -> Class {
        self.0.class
    }

    /// Who can put it right.
    pub const fn fault(self) -> Fault {
        self.0.fault
    }

    /// What the code means, in one line.
    pub const fn meaning(self) -> &'static str {
        self.0.meaning
    }

    /// What to do about it, in one line. `JOB` or `DEVICE` in it stands for the one that the error is about.
    pub const fn hint(self) -> &'static str {
        self.0.hint
    }
}

impl From<ProblemKind> for Code {
    fn from(kind: ProblemKind) -> Self {
        match kind {
            ProblemKind::UnknownKey => Code::UNKNOWN_KEY,
            ProblemKind::WrongType => Code::WRONG_TYPE,
            ProblemKind::OutOfRange => Code::OUT_OF_RANGE,
            ProblemKind::MissingKey => Code::MISSING_KEY,
            ProblemKind::EmptyValue => Code::EMPTY_VALUE,
            ProblemKind::NotAvailable => Code::NOT_AVAILABLE,
            ProblemKind::Syntax => Code::SYNTAX,
            ProblemKind::PathEscape => Code::PATH_ESCAPE,
        }
    }
}

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::all()
            .find(|code| code.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownCode(text.to_owned()))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_grow_within_their_thousand() {
        let mut last = "FP0000";
        for (thousand, section) in ('1'..).zip(Section::ALL) {
            for code in section.codes {
                let text = code.as_str();
                let digits = text.strip_prefix("FP").unwrap();
                assert!(digits.len() == 4 && digits.parse::<u16>().is_ok(), "{text}");
                assert!(digits.starts_with(thousand), "{text} in {}", section.title);
                assert!(last < text, "{text} after {last}");
                last = text;
            }
        }
    }

    #[test]
    fn texts_are_one_line_that_fits_a_table() {
        for code in Code::all() {
            for text in [code.meaning(), code.hint()] {
                assert!(!text.is_empty() && !text.ends_with('.'), "{code}: {text}");
                assert!(!text.contains(['\n', '|']), "{code}: {text}");
            }
        }
    }

    #[test]
    fn a_code_is_read_as_it_is_written() {
        for code in Code::all() {
            assert_eq!(code.to_string().parse(), Ok(code));
        }
        assert!("FP0000".parse::<Code>().is_err());
    }
}
