//! A bar that shows a share of something.

use std::fmt;

use super::symbol::{Symbol, Symbols};

/// `██████░░░░`: the filled part, and the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bar {
    pub(crate) filled: String,
    pub(crate) rest: String,
}

impl Bar {
    /// A bar of so many columns, of which the share from 0 to 1 is filled, to the nearest column. It is full only at 1:
    /// what is nearly done is not done.
    pub(crate) fn new(share: f64, columns: usize, symbols: Symbols) -> Self {
        let nearest = (share.clamp(0.0, 1.0) * columns as f64).round() as usize;
        let filled = if share < 1.0 {
            nearest.min(columns.saturating_sub(1))
        } else {
            nearest
        };
        let repeated = |symbol, count| symbols.text(symbol).repeat(count);
        Self {
            filled: repeated(Symbol::Full, filled),
            rest: repeated(Symbol::Empty, columns - filled),
        }
    }
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.filled, self.rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_filled_from_the_left_and_never_too_long() {
        let bar = |share, symbols| Bar::new(share, 4, symbols).to_string();
        for (share, expected) in [
            (-1.0, "...."),
            (0.0, "...."),
            (0.1, "...."),
            (0.5, "##.."),
            (0.7, "###."),
            (0.999, "###."),
            (1.0, "####"),
            (7.0, "####"),
            (f64::NAN, "...."),
        ] {
            assert_eq!(bar(share, Symbols::Ascii), expected, "{share}");
        }
        assert_eq!(bar(0.5, Symbols::Unicode), "██░░");
    }
}
