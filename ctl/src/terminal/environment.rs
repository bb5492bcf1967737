//! What environment variables say of the terminal and of the user's wishes. An empty one counts as not set.

use std::{env, ffi::OsString};

use super::{graphics::Graphics, picture::Palette};

/// The variables, as they are.
#[derive(Debug, Default)]
pub(super) struct Environment {
    columns: Option<OsString>,
    term: Option<OsString>,
    no_color: Option<OsString>,
    colorterm: Option<OsString>,
    /// The name of the program that draws the terminal.
    term_program: Option<OsString>,
    kitty_window_id: Option<OsString>,
    tmux: Option<OsString>,
    /// The first that is set of `LC_ALL`, `LC_CTYPE` and `LANG`.
    locale: Option<OsString>,
}

impl Environment {
    /// Those of the process.
    pub(super) fn read() -> Self {
        Self::of(|name| env::var_os(name))
    }

    /// Those that `value` has.
    pub(super) fn of(value: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &str| value(name).filter(|value| !value.is_empty());
        let mut locales = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter();
        Self {
            columns: set("COLUMNS"),
            term: set("TERM"),
            no_color: set("NO_COLOR"),
            colorterm: set("COLORTERM"),
            term_program: set("TERM_PROGRAM"),
            kitty_window_id: set("KITTY_WINDOW_ID"),
            tmux: set("TMUX"),
            locale: locales.find_map(set),
        }
    }

    /// How wide lines are to be.
    pub(super) fn columns(&self) -> Option<usize> {
        let columns: usize = self.columns.as_ref()?.to_str()?.parse().ok()?;
        Some(columns).filter(|columns| *columns > 0)
    }

    /// Whether the terminal understands text and nothing else, or may.
    pub(super) fn is_dumb(&self) -> bool {
        self.term.as_ref().is_none_or(|term| term == "dumb")
    }

    /// How it shows pictures. Inside tmux and screen half blocks pass, and nothing else for sure.
    pub(super) fn graphics(&self) -> Graphics {
        if self.is_multiplexed() {
            Graphics::Blocks(self.palette())
        } else if self.is_kitty() {
            Graphics::Kitty
        } else if self.has_sixel() {
            Graphics::Sixel
        } else {
            Graphics::Blocks(self.palette())
        }
    }

    /// The colours that half blocks have.
    pub(super) fn palette(&self) -> Palette {
        let has_all = is_one_of(self.colorterm.as_ref(), &["truecolor", "24bit"]);
        if has_all || self.term().ends_with("-direct") {
            Palette::TrueColour
        } else {
            Palette::Indexed
        }
    }

    fn is_multiplexed(&self) -> bool {
        let term = self.term();
        self.tmux.is_some() || term.starts_with("tmux") || term.starts_with("screen")
    }

    /// Kitty, or one that has its protocol.
    fn is_kitty(&self) -> bool {
        self.kitty_window_id.is_some()
            || ["xterm-kitty", "xterm-ghostty"].contains(&self.term())
            || is_one_of(self.term_program.as_ref(), &["ghostty"])
    }

    fn has_sixel(&self) -> bool {
        let term = self.term();
        let family = term.split('-').next().unwrap_or_default();
        let programs = ["WezTerm", "iTerm.app", "mintty", "contour"];
        term.contains("sixel")
            || ["foot", "mlterm", "yaft", "contour"].contains(&family)
            || is_one_of(self.term_program.as_ref(), &programs)
    }

    fn term(&self) -> &str {
        let term = self.term.as_ref().and_then(|term| term.to_str());
        term.unwrap_or_default()
    }

    /// As on <https://no-color.org>.
    pub(super) fn refuses_colour(&self) -> bool {
        self.no_color.is_some()
    }

    /// Whether text is UTF-8 here.
    pub(super) fn is_utf8(&self) -> bool {
        let locale = self.locale.as_ref().map(|locale| locale.to_string_lossy());
        let encoding = locale.unwrap_or_default().to_ascii_lowercase();
        encoding.contains("utf-8") || encoding.contains("utf8")
    }
}

fn is_one_of(value: Option<&OsString>, names: &[&str]) -> bool {
    value.is_some_and(|value| names.iter().any(|name| value == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::of(|name| {
            let (_, value) = variables.iter().find(|(key, _)| *key == name)?;
            Some((*value).into())
        })
    }

    #[test]
    fn a_terminal_shows_pictures_by_what_it_says_of_itself() {
        use Graphics::{Blocks, Kitty, Sixel};
        let (indexed, true_colour) = (Blocks(Palette::Indexed), Blocks(Palette::TrueColour));
        let xterm = ("TERM", "xterm-256color");
        let kitty = ("KITTY_WINDOW_ID", "1");
        for (variables, expected) in [
            (&[] as &[_], indexed),
            (&[xterm], indexed),
            (&[xterm, ("COLORTERM", "truecolor")], true_colour),
            (&[("TERM", "xterm-direct")], true_colour),
            (&[("TERM", "xterm-kitty")], Kitty),
            (&[xterm, kitty], Kitty),
            (&[("TERM_PROGRAM", "ghostty")], Kitty),
            (&[("TERM", "foot")], Sixel),
            (&[("TERM", "foot-extra")], Sixel),
            (&[("TERM_PROGRAM", "WezTerm")], Sixel),
            (&[("TERM", "tmux-256color"), kitty], indexed),
            (&[xterm, kitty, ("TMUX", "/tmp/tmux")], indexed),
        ] {
            let found = environment(variables).graphics();
            assert_eq!(found, expected, "{variables:?}");
        }
    }
}
