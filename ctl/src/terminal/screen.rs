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

    /// Draws the lines from the top. The last one stays where there is not room for all.
    pub(crate) fn draw(&mut self, lines: &[String], terminal: &Terminal) -> io::Result<()> {
        self.size = window(&stdout());
        let height = self.size.map_or(DEFAULT_HEIGHT, |(_, lines)| lines);
        let mut out = stdout().lock();
        out.queue(BeginSynchronizedUpdate)?.queue(MoveTo(0, 0))?;
        for (i, line) in fitting(lines, height, terminal).iter().enumerate() {
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

/// As many of the first lines as fit, what is left out, and the last line.
fn fitting(lines: &[String], height: usize, terminal: &Terminal) -> Vec<String> {
    let height = height.max(3);
    if lines.len() <= height {
        return lines.to_vec();
    }
    let shown = height - 2;
    let ellipsis = terminal.symbols.text(Symbol::Ellipsis);
    let more = format!("{ellipsis} and {} more", lines.len() - shown - 1);
    let mut fitting = lines[..shown].to_vec();
    fitting.push(terminal.paint(Style::Dim, &more));
    fitting.extend(lines.last().cloned());
    fitting
}
