//! How much of something is used or done, as a bar in a style.

use super::line::Line;
use crate::terminal::{Terminal, bar::Bar, style::Style};

/// From this share on something is nearly used up.
const NEARLY_FULL: f64 = 0.95;

/// A bar of so many columns, the filled part in a style.
pub(super) fn bar(share: f64, columns: usize, style: Style, terminal: &Terminal) -> Line {
    let Bar { filled, rest } = Bar::new(share, columns, terminal.symbols);
    Line::new(filled, style).and(rest, Style::Dim)
}

/// How much of a memory is used; a warning where that is nearly all.
pub(super) fn load(used_bytes: u64, total_bytes: u64, columns: usize, terminal: &Terminal) -> Line {
    let share = used_bytes as f64 / total_bytes.max(1) as f64;
    let style = if share > NEARLY_FULL {
        Style::Warning
    } else {
        Style::Plain
    };
    bar(share, columns, style, terminal)
}
