//! A name of the Python application: what it could be set to there, and what that means here.

use std::{fmt, ops::RangeInclusive};

/// A variable or a flag.
#[derive(Debug, PartialEq)]
pub struct Name {
    /// As in `FRAMEPACK_FAST_START` and `--fast-start`.
    pub name: &'static str,
    /// What it could be set to there.
    pub values: Values,
    /// What applied there without it.
    pub default: &'static str,
    /// What it means here.
    pub meaning: Meaning,
    /// What it really did there, in a sentence without its dot.
    pub there: &'static str,
}

impl Name {
    pub(super) const fn new(
        name: &'static str,
        values: Values,
        default: &'static str,
        meaning: Meaning,
        there: &'static str,
    ) -> Self {
        Self {
            name,
            values,
            default,
            meaning,
            there,
        }
    }
}

/// What a name could be set to.
#[derive(Debug, PartialEq)]
pub enum Values {
    /// `0` or `1`.
    Switch,
    /// A flag without a value.
    Flag,
    /// A whole number.
    Integer(RangeInclusive<i64>),
    /// A number.
    Number(RangeInclusive<f64>),
    /// One of a few words; what they are, as in `an attention mode`, and the words.
    Words(&'static str, &'static [&'static str]),
    /// A text; what it is, as in `a path`.
    Text(&'static str),
}

/// What a name means here.
#[derive(Debug, PartialEq)]
pub enum Meaning {
    /// It sets keys.
    Sets {
        /// Those that it may set.
        keys: &'static [&'static str],
        /// How its value becomes theirs.
        rule: Rule,
        /// The same in words, for people.
        how: &'static str,
    },
    /// What it asked for is not here; the reason.
    Inactive(&'static str),
    /// What it asked for is here without a setting, or there is nothing that would want it; the reason.
    NotNeeded(&'static str),
}

impl Meaning {
    /// Whether it sets keys.
    pub(super) fn sets(&self) -> bool {
        matches!(self, Self::Sets { .. })
    }
}

/// How a value becomes that of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// `1` and a flag are `on`, `0` is `off`.
    OnOff,
    /// The same word.
    Same,
    /// The same number, and `auto` for 0.
    ZeroIsAuto,
    /// A flag that stands for one value.
    Stands(&'static str),
    /// Torch's configuration of its allocator, corrected.
    Allocator,
    /// `0` is `never`; `1` is what happens anyway.
    ZeroIsNever,
    /// One of those that choose storage types together.
    Storage,
    /// One of those that choose the step cache together.
    Cache,
    /// A number of the named cache, if that is the one that is chosen.
    OfCache(&'static str),
}

impl fmt::Display for Values {
    /// As the reference has them: `0 or 1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch => f.write_str("0 or 1"),
            Self::Flag => f.write_str("no value"),
            Self::Integer(range) if *range.end() == i64::MAX => {
                write!(f, "whole number, {} or more", range.start())
            }
            Self::Integer(range) => {
                write!(f, "whole number, {} to {}", range.start(), range.end())
            }
            Self::Number(range) if range.end().is_infinite() => {
                write!(f, "number, {} or more", range.start())
            }
            Self::Number(range) => write!(f, "number, {} to {}", range.start(), range.end()),
            Self::Words(_, words) => write!(f, "`{}`", words.join("`, `")),
            Self::Text(what) => f.write_str(what),
        }
    }
}
