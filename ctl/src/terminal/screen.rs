//! The whole screen of a terminal, drawn in place; left as it was when it is dropped, also by a panic.

use std::io::{self, Write, stdout};

use ratatui::crossterm::{
    QueueableCommand,
    cursor::{Hide, MoveTo, Show},
    terminal::{
        BeginSynchronizedUpdate, Clear, ClearType, DisableLineWrap, EnableLineWrap,
        EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    },
};

use super::{Terminal, style::Style, symbol::Symbol, window};

/// Lines of a screen whose window does not tell how many it has.
const DEFAULT_HEIGHT: usize = 24;

/// The other screen that terminals have for programs.
#[derive(Debug)]
pub(crate) struct Screen {
    /// Columns and lines at the last drawing.
    size: Option<(usize, usize)>,
}

impl Screen {
    /// Changes to it.
    pub(crate) fn enter() -> io::Result<Self> {
        stdout()
            .queue(EnterAlternateScreen)?
            .queue(Hide)?
            .queue(DisableLineWrap)?
            .flush()?;
        Ok(Self { size: None })
    }

    /// Whether the window has changed since the last drawing.
    pub(crate) fn has_new_size(&self) -> bool {
        self.size != window(&stdout())
    }

    /// Draws the lines from the top. The first and the last one stay where there is not room for all, and these of the others.
    pub(crate) fn draw(
        &mut self,
        lines: &[String],
        kept: Kept,
        terminal: &Terminal,
    ) -> io::Result<()> {
        self.size = window(&stdout());
        let height = self.size.map_or(DEFAULT_HEIGHT, |(_, lines)| lines);
        let mut out = stdout().lock();
        out.queue(BeginSynchronizedUpdate)?.queue(MoveTo(0, 0))?;
        for (i, line) in fitting(lines, kept, height, terminal).iter().enumerate() {
            if i > 0 {
                out.write_all(b"\r\n")?;
            }
            // Before the line: behind a full one the cursor is still at its last character.
            out.queue(Clear(ClearType::FromCursorDown))?;
            out.write_all(line.as_bytes())?;
        }
        out.queue(EndSynchronizedUpdate)?;
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let mut out = stdout();
        // A terminal that is gone needs no care.
        let _ = out
            .queue(EnableLineWrap)
            .and_then(|out| out.queue(Show))
            .and_then(|out| out.queue(LeaveAlternateScreen))
            .and_then(Write::flush);
    }
}

/// Which lines stay where there is not room for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    First,
    Last,
}

/// As many of the lines as fit, what is left out, and the last line.
fn fitting(lines: &[String], kept: Kept, height: usize, terminal: &Terminal) -> Vec<String> {
    let height = height.max(3);
    if lines.len() <= height {
        return lines.to_vec();
    }
    let ellipsis = terminal.symbols.text(Symbol::Ellipsis);
    let more = format!("{ellipsis} and {} more", lines.len() + 1 - height);
    let more = [terminal.paint(Style::Dim, &more)];
    let (first, last) = match kept {
        Kept::First => lines.split_at(height - 2),
        Kept::Last => lines.split_at(1),
    };
    let last = &last[last.len() - (height - 1 - first.len())..];
    [first, &more, last].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::{Colour, Reader, symbol::Symbols};

    #[test]
    fn what_does_not_fit_is_counted_where_it_is_left_out() {
        let terminal = Terminal {
            reader: Reader::Person,
            width: 80,
            colour: Colour::Off,
            symbols: Symbols::Ascii,
        };
        let lines = ["HEAD", "1", "2", "3", "4", "end"].map(str::to_owned);
        let shown = |kept, height| fitting(&lines, kept, height, &terminal).join(" ");
        assert_eq!(shown(Kept::First, 6), "HEAD 1 2 3 4 end");
        assert_eq!(shown(Kept::First, 5), "HEAD 1 2 ... and 2 more end");
        assert_eq!(shown(Kept::Last, 5), "HEAD ... and 2 more 3 4 end");
        assert_eq!(shown(Kept::Last, 1), "HEAD ... and 4 more end");
        assert_eq!(shown(Kept::First, 1), "HEAD ... and 4 more end");
    }
}
