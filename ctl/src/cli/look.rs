//! How text looks.

use std::ffi::OsString;

use clap::{Args, ColorChoice, ValueEnum};

use crate::terminal::{ColourChoice, table::Headings};

/// Above the options that all commands have.
pub(super) const GLOBAL: &str = "Global options";

/// Options of all commands.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Look {
    /// Colours: auto (on a terminal, unless `NO_COLOR` is set), always (and in a pipe what a terminal gets), never
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    pub(crate) color: ColourChoice,

    /// Leave out the headings of tables
    #[arg(long, global = true, help_heading = GLOBAL)]
    no_legend: bool,
}

impl Look {
    pub(crate) fn headings(self) -> Headings {
        if self.no_legend {
            Headings::Hidden
        } else {
            Headings::Shown
        }
    }

    /// `--color` for help and for mistakes of the command line, which are printed before it is understood.
    pub(super) fn typed_colour(arguments: impl Iterator<Item = OsString>) -> ColorChoice {
        let arguments: Vec<String> = arguments
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect();
        let mut values = arguments.iter().enumerate().filter_map(|(i, argument)| {
            let rest = argument.strip_prefix("--color")?;
            match rest.strip_prefix('=') {
                Some(value) => Some(value),
                None if rest.is_empty() => arguments.get(i + 1).map(String::as_str),
                None => None,
            }
        });
        match values
            .next_back()
            .map(|value| ColourChoice::from_str(value, false))
        {
            Some(Ok(ColourChoice::Always)) => ColorChoice::Always,
            Some(Ok(ColourChoice::Never)) => ColorChoice::Never,
            _ => ColorChoice::Auto,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_colour_of_help_is_the_last_that_was_typed() {
        let typed = |arguments: &str| {
            let arguments = arguments.split(' ').map(OsString::from);
            Look::typed_colour(arguments)
        };
        for (arguments, expected) in [
            ("ctl list", ColorChoice::Auto),
            ("ctl --color never list", ColorChoice::Never),
            ("ctl list --color=always", ColorChoice::Always),
            ("ctl --color=always list --color never", ColorChoice::Never),
            ("ctl --color=pink", ColorChoice::Auto),
            ("ctl --color", ColorChoice::Auto),
            ("ctl --colors=never", ColorChoice::Auto),
        ] {
            assert_eq!(typed(arguments), expected, "{arguments}");
        }
    }
}
