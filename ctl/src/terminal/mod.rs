//! What standard output or standard error can show, and text made for it.
//!
//! [`Terminal`] is looked at once, in `main`; `environment` is what variables say of it; [`style`] are its colours,
//! [`symbol`] its symbols, [`time`], [`size`] and [`cut`] what people read in the place of numbers and long names,
//! [`wording`] either of both, [`table`] and [`wrap`] what fits a width, [`bar`] a share, [`picture`] and [`graphics`](mod@graphics)
//! pictures, [`screen`] what is drawn in place.

mod environment;

pub(crate) mod bar;
pub(crate) mod cut;
pub(crate) mod graphics;
pub(crate) mod picture;
pub(crate) mod screen;
pub(crate) mod size;
pub(crate) mod style;
pub(crate) mod symbol;
pub(crate) mod table;
pub(crate) mod time;
pub(crate) mod wording;
pub(crate) mod wrap;

use std::{
    io::{self, IsTerminal},
    os::fd::AsFd,
};

use clap::ValueEnum;
use rustix::termios::tcgetwinsize;

use environment::Environment;
use graphics::Graphics;
use picture::Palette;
use style::Style;
use symbol::Symbols;

/// Columns where neither COLUMNS nor the terminal says how many there are.
const DEFAULT_WIDTH: usize = 80;
/// A narrower terminal is written to as if it had this many: nothing useful fits less.
const MIN_WIDTH: usize = 20;

/// What a stream can show.
#[derive(Debug, Clone)]
pub(crate) struct Terminal {
    /// Who reads it.
    pub(crate) reader: Reader,
    /// Columns of a line.
    pub(crate) width: usize,
    pub(crate) colour: Colour,
    pub(crate) symbols: Symbols,
}

/// Who reads a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// People: it is a terminal.
    Person,
    /// Programs: it is a pipe or a file.
    Program,
}

/// Whether a stream gets colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    On,
    Off,
}

/// `--color`.
// Its values are explained by the option itself, in a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColourChoice {
    #[default]
    Auto,
    Always,
    Never,
}

impl Terminal {
    /// Standard output as it is now.
    pub(crate) fn stdout(choice: ColourChoice) -> Self {
        let reader = match choice {
            // For `less -R` and `watch -c`, which show people what they get.
            ColourChoice::Always => Reader::Person,
            ColourChoice::Auto | ColourChoice::Never => reader(&io::stdout()),
        };
        Self::of(reader, choice, &Environment::read())
    }

    /// Standard error as it is now.
    pub(crate) fn stderr(choice: ColourChoice) -> Self {
        Self::of(reader(&io::stderr()), choice, &Environment::read())
    }

    fn of(reader: Reader, choice: ColourChoice, environment: &Environment) -> Self {
        Self {
            reader,
            width: width(reader, environment),
            colour: colour(reader, choice, environment),
            symbols: if environment.is_utf8() {
                Symbols::Unicode
            } else {
                Symbols::Ascii
            },
        }
    }

    /// Whether people read it.
    pub(crate) fn is_read_by_people(&self) -> bool {
        self.reader == Reader::Person
    }

    /// How text of this meaning looks here.
    pub(crate) fn ansi(&self, style: Style) -> anstyle::Style {
        match self.colour {
            Colour::On => style.ansi(),
            Colour::Off => anstyle::Style::new(),
        }
    }

    /// The text in the colours of its meaning, where there are any.
    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        style::paint(self.ansi(style), text)
    }

    /// The text on one line of so many columns, cut in the middle where it is longer.
    pub(crate) fn cut(&self, text: &str, columns: usize) -> String {
        cut::cut_middle(text, columns, self.symbols)
    }
}

/// Whether standard output can be drawn on: it is a terminal that understands more than text.
pub(crate) fn can_be_drawn_on() -> bool {
    io::stdout().is_terminal() && !Environment::read().is_dumb()
}

/// How standard output shows pictures, where it can be drawn on.
pub(crate) fn graphics() -> Option<Graphics> {
    can_be_drawn_on().then(|| Environment::read().graphics())
}

/// The colours of pictures that are drawn in half blocks.
pub(crate) fn palette() -> Palette {
    Environment::read().palette()
}

fn reader(stream: &impl IsTerminal) -> Reader {
    if stream.is_terminal() {
        Reader::Person
    } else {
        Reader::Program
    }
}

/// COLUMNS, as of a shell's `export COLUMNS`, else what the window has now.
fn width(reader: Reader, environment: &Environment) -> usize {
    let window = || match reader {
        Reader::Person => window(&io::stdout()).or_else(|| window(&io::stderr())),
        Reader::Program => None,
    };
    let columns = environment.columns().or_else(|| Some(window()?.0));
    columns.unwrap_or(DEFAULT_WIDTH).max(MIN_WIDTH)
}

/// Columns and lines. A serial line has a window of none: that is, of unknown ones.
fn window(stream: &impl AsFd) -> Option<(usize, usize)> {
    let size = tcgetwinsize(stream).ok()?;
    let is_known = size.ws_col > 0 && size.ws_row > 0;
    is_known.then(|| (size.ws_col.into(), size.ws_row.into()))
}

/// The stricter of what is asked for and what the terminal has; the command line counts more than the environment.
fn colour(reader: Reader, choice: ColourChoice, environment: &Environment) -> Colour {
    let is_on = match choice {
        ColourChoice::Always => true,
        ColourChoice::Never => false,
        ColourChoice::Auto if environment.refuses_colour() => false,
        ColourChoice::Auto => reader == Reader::Person && !environment.is_dumb(),
    };
    if is_on { Colour::On } else { Colour::Off }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An environment with a terminal that has colours, and these variables.
    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::of(|name| {
            let mut all = variables.iter().chain(&[("TERM", "xterm")]);
            let (_, value) = all.find(|(key, _)| *key == name)?;
            Some((*value).into())
        })
    }

    #[test]
    fn colours_are_for_terminals_that_have_them_and_people_who_want_them() {
        use {ColourChoice as Choice, Reader::*};
        for (reader, choice, variables, expected) in [
            (Person, Choice::Auto, &[] as &[_], Colour::On),
            (Program, Choice::Auto, &[], Colour::Off),
            (Program, Choice::Always, &[], Colour::On),
            (Person, Choice::Never, &[], Colour::Off),
            (Person, Choice::Auto, &[("NO_COLOR", "1")], Colour::Off),
            (Person, Choice::Auto, &[("NO_COLOR", "")], Colour::On),
            (Person, Choice::Always, &[("NO_COLOR", "1")], Colour::On),
            (Person, Choice::Auto, &[("TERM", "dumb")], Colour::Off),
            (Person, Choice::Auto, &[("TERM", "")], Colour::Off),
        ] {
            let found = colour(reader, choice, &environment(variables));
            assert_eq!(found, expected, "{reader:?} {choice:?} {variables:?}");
        }
    }

    #[test]
    fn columns_are_those_that_are_set() {
        for (columns, expected) in [("132", 132), ("7", 20), ("0", 80), ("", 80), ("wide", 80)] {
            let environment = environment(&[("COLUMNS", columns)]);
            assert_eq!(width(Reader::Program, &environment), expected, "{columns}");
        }
    }

    #[test]
    fn symbols_are_for_locales_of_utf_8() {
        for (variables, expected) in [
            (&[("LANG", "de_DE.UTF-8")] as &[_], Symbols::Unicode),
            (&[("LANG", "C.utf8")], Symbols::Unicode),
            (&[("LANG", "C")], Symbols::Ascii),
            (&[], Symbols::Ascii),
            (&[("LC_ALL", "C"), ("LANG", "C.UTF-8")], Symbols::Ascii),
            (&[("LC_ALL", ""), ("LC_CTYPE", "C.UTF-8")], Symbols::Unicode),
        ] {
            let environment = environment(variables);
            let terminal = Terminal::of(Reader::Person, ColourChoice::Auto, &environment);
            assert_eq!(terminal.symbols, expected, "{variables:?}");
        }
    }
}
