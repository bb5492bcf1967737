//! How the state looks on a screen of some size: lines from top to bottom, of which one may be selected.

mod help;
mod page;
mod picture;

use framepack_jobs::Timestamp;
use ratatui::{
    Frame,
    layout::Rect,
    style::{Modifier, Style},
    text::{Line as Text, Span},
    widgets::Widget,
};

use super::state::{Mode, Top};
use crate::{
    farm::Line,
    terminal::{Terminal, picture::Rgb},
};

/// A line of the screen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Row {
    line: Line,
    look: Look,
    /// A line of a picture: the upper and the lower pixel of each cell.
    pixels: Vec<[Rgb; 2]>,
}

/// How a line stands out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Look {
    #[default]
    Plain,
    /// What keys are about.
    Selected,
}

impl From<Line> for Row {
    fn from(line: Line) -> Self {
        Self {
            line,
            ..Self::default()
        }
    }
}

/// Draws all of it.
pub(super) fn draw(top: &Top, now: Timestamp, frame: &mut Frame) {
    let area = frame.area();
    let terminal = Terminal {
        width: area.width.into(),
        ..top.terminal.clone()
    };
    let height = usize::from(area.height);
    let rows = match top.mode {
        Mode::Help => help::rows(&terminal),
        _ => page::rows(top, now, height, &terminal),
    };
    for (y, row) in (area.y..area.bottom()).zip(rows) {
        let at = Rect::new(area.x, y, area.width, 1);
        let look = row.look;
        picture::draw(&row.pixels, at, top.palette, frame.buffer_mut());
        row.text(&terminal).render(at, frame.buffer_mut());
        if look == Look::Selected {
            // In one colour: reversed ones of many would be blocks of them.
            let reversed = Style::reset().add_modifier(Modifier::REVERSED);
            frame.buffer_mut().set_style(at, reversed);
        }
    }
}

impl Row {
    fn text(self, terminal: &Terminal) -> Text<'static> {
        let line = self.line.cut(terminal.width, terminal);
        let pieces = line.pieces().iter();
        let spans =
            pieces.map(|piece| Span::styled(piece.text.clone(), terminal.ansi(piece.style)));
        Text::from(spans.collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests;
