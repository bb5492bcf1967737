//! What environment variables say of the terminal and of the user's wishes. An empty one counts as not set.

use std::{env, ffi::OsString};

/// The variables, as they are.
#[derive(Debug, Default)]
pub(super) struct Environment {
    columns: Option<OsString>,
    term: Option<OsString>,
    no_color: Option<OsString>,
    clicolor_force: Option<OsString>,
    /// The first that is set of LC_ALL, LC_CTYPE and LANG.
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
            clicolor_force: set("CLICOLOR_FORCE"),
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

    /// As on <https://no-color.org>.
    pub(super) fn refuses_colour(&self) -> bool {
        self.no_color.is_some()
    }

    /// As on <https://bixense.com/clicolors>.
    pub(super) fn forces_colour(&self) -> bool {
        self.clicolor_force
            .as_ref()
            .is_some_and(|force| force != "0")
    }

    /// Whether text is UTF-8 here.
    pub(super) fn is_utf8(&self) -> bool {
        let locale = self.locale.as_ref().map(|locale| locale.to_string_lossy());
        let encoding = locale.unwrap_or_default().to_ascii_lowercase();
        encoding.contains("utf-8") || encoding.contains("utf8")
    }
}
