//! A column: its heading, and what is done with it where the terminal is too narrow for all.

/// A column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(super) heading: &'static str,
    pub(super) align: Align,
    pub(super) fit: Fit,
    /// 0 always stays; of the others the highest is narrowed and left out first.
    pub(super) rank: u8,
}

/// On which side the cells of a column end or begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    /// Numbers.
    Right,
}

/// What is done with cells for which there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// They are shown whole.
    Whole,
    /// They lose their middle, down to so many columns of the terminal.
    Cut(usize),
    /// They go on in the next line, in so many columns of the terminal at least.
    Wrapped(usize),
}

impl Column {
    /// Of text, shown whole and always.
    pub(crate) const fn text(heading: &'static str) -> Self {
        Self {
            heading,
            align: Align::Left,
            fit: Fit::Whole,
            rank: 0,
        }
    }

    /// Of numbers, shown whole and always.
    pub(crate) const fn number(heading: &'static str) -> Self {
        Self {
            align: Align::Right,
            ..Self::text(heading)
        }
    }

    /// Its cells may be cut in the middle to this many columns of the terminal.
    pub(crate) const fn cut_to(self, least: usize) -> Self {
        Self {
            fit: Fit::Cut(least),
            ..self
        }
    }

    /// Its cells may be broken between words into lines of this many columns of the terminal: nothing of them is lost.
    pub(crate) const fn wrapped_to(self, least: usize) -> Self {
        Self {
            fit: Fit::Wrapped(least),
            ..self
        }
    }

    /// Where not all fits it is narrowed, and left out, before those of a lower rank.
    pub(crate) const fn rank(self, rank: u8) -> Self {
        Self { rank, ..self }
    }
}
