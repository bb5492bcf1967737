//! Symbols for the eye. Each stands beside its word, so that a screen reader, and a terminal without them, loses nothing.

/// Which symbols the terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Symbols {
    /// Those of Unicode that fonts for terminals have, one column wide.
    Unicode,
    /// Those of ASCII.
    Ascii,
}

/// A symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Symbol {
    /// Waits for its turn.
    Queued,
    /// Is rendered.
    Running,
    /// Stands still until a user says otherwise.
    Held,
    /// Went well.
    Done,
    /// Went wrong.
    Failed,
    /// Was given up.
    Cancelled,
    /// May go wrong.
    Warning,
    /// A thing that is there: a daemon, a device.
    Bullet,
    /// Where something was left out.
    Ellipsis,
    /// A filled piece of a bar.
    Full,
    /// An empty piece of a bar.
    Empty,
}

impl Symbols {
    /// How the terminal shows it.
    pub(crate) fn text(self, symbol: Symbol) -> &'static str {
        let (unicode, ascii) = match symbol {
            Symbol::Queued => ("○", "-"),
            Symbol::Running => ("▶", ">"),
            Symbol::Held => ("‖", "="),
            Symbol::Done => ("✔", "+"),
            Symbol::Failed => ("✖", "x"),
            Symbol::Cancelled => ("∅", "~"),
            Symbol::Warning => ("▲", "!"),
            Symbol::Bullet => ("●", "*"),
            Symbol::Ellipsis => ("…", "..."),
            Symbol::Full => ("█", "#"),
            Symbol::Empty => ("░", "."),
        };
        match self {
            Self::Unicode => unicode,
            Self::Ascii => ascii,
        }
    }
}
