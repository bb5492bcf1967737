//! Colours by what a text means. They are of the sixteen that a user's theme has, so that they can be read on light and
//! on dark; nothing is told by colour alone.

use anstyle::{AnsiColor, Effects, Reset, Style as Ansi};

/// What a text means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Style {
    /// Nothing special.
    #[default]
    Plain,
    /// Above a column, or above a part.
    Heading,
    /// It stands out: a name, a number.
    Strong,
    /// It stands back: a unit, an old time, a number's meaning.
    Dim,
    /// It went well: done, ok.
    Good,
    /// It is under way: running.
    Active,
    /// It will go on by itself: waiting, suspended.
    Waiting,
    /// It goes on when a user says so: held, paused.
    Held,
    /// It went wrong: failed, an error.
    Bad,
    /// It may go wrong.
    Warning,
    /// What to do.
    Hint,
}

impl Style {
    /// Its colour and weight.
    pub(super) fn ansi(self) -> Ansi {
        let coloured = |color: AnsiColor| Ansi::new().fg_color(Some(color.into()));
        match self {
            Self::Plain => Ansi::new(),
            Self::Heading | Self::Strong => Ansi::new().effects(Effects::BOLD),
            Self::Dim => Ansi::new().effects(Effects::DIMMED),
            Self::Good => coloured(AnsiColor::Green),
            Self::Active => coloured(AnsiColor::Cyan).effects(Effects::BOLD),
            Self::Waiting => coloured(AnsiColor::Blue),
            Self::Held => coloured(AnsiColor::Magenta),
            Self::Bad => coloured(AnsiColor::Red).effects(Effects::BOLD),
            Self::Warning => coloured(AnsiColor::Yellow),
            Self::Hint => coloured(AnsiColor::Cyan),
        }
    }
}

/// The text between what switches a colour on and what switches it off.
pub(super) fn paint(ansi: Ansi, text: &str) -> String {
    if text.is_empty() || ansi == Ansi::new() {
        return text.to_owned();
    }
    format!("{ansi}{text}{Reset}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_painted_text_leaves_the_terminal_as_it_was() {
        for (style, text, expected) in [
            (Style::Good, "done", "\u{1b}[32mdone\u{1b}[0m"),
            (Style::Bad, "failed", "\u{1b}[1m\u{1b}[31mfailed\u{1b}[0m"),
            (Style::Plain, "cat", "cat"),
            (Style::Good, "", ""),
        ] {
            assert_eq!(paint(style.ansi(), text), expected);
        }
    }
}
