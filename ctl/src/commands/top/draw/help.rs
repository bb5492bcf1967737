//! What each key does.

use super::Row;
use crate::{
    commands::top::keys::HELP,
    farm::Line,
    terminal::{Terminal, style::Style, wrap::wrapped},
};

/// Columns of the keys.
const KEYS: usize = 14;

pub(super) fn rows(terminal: &Terminal) -> Vec<Row> {
    let mut rows = vec![Line::new("Keys", Style::Heading).into(), Row::default()];
    for (keys, meaning) in HELP {
        let room = terminal.width.saturating_sub(KEYS);
        for (n, line) in wrapped(meaning, room).into_iter().enumerate() {
            let keys = if n == 0 { keys } else { "" };
            let keys = Line::new(keys, Style::Strong).padded(KEYS);
            rows.push(keys.and(line, Style::Plain).into());
        }
    }
    rows
}
