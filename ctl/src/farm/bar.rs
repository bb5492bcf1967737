//! How much of something is used or done, as a bar.

use super::line::Line;
use crate::terminal::{Terminal, style::Style, symbol::Symbol};

/// A bar of so many columns, the filled part in a style.
pub(super) fn bar(filled: f64, columns: usize, style: Style, terminal: &Terminal) -> Line {
    let full = (filled.clamp(0.0, 1.0) * columns as f64).round() as usize;
    let symbol = |symbol| terminal.symbols.text(symbol);
    Line::new(symbol(Symbol::Full).repeat(full), style)
        .and(symbol(Symbol::Empty).repeat(columns - full), Style::Dim)
}

/// A share of something of which there is much or little left.
pub(super) fn load(used_bytes: u64, total_bytes: u64, columns: usize, terminal: &Terminal) -> Line {
    let filled = used_bytes as f64 / total_bytes.max(1) as f64;
    let style = if filled > 0.95 {
        Style::Warning
    } else {
        Style::Plain
    };
    bar(filled, columns, style, terminal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::{Colour, Reader, symbol::Symbols};

    #[test]
    fn a_bar_is_never_longer_than_it_may_be() {
        let mut terminal = Terminal {
            reader: Reader::Person,
            width: 80,
            colour: Colour::Off,
            symbols: Symbols::Unicode,
        };
        for (filled, expected) in [
            (0.0, "░░░░"),
            (0.5, "██░░"),
            (1.0, "████"),
            (7.0, "████"),
            (f64::NAN, "░░░░"),
        ] {
            assert_eq!(
                bar(filled, 4, Style::Plain, &terminal).to_string(),
                expected
            );
        }
        terminal.symbols = Symbols::Ascii;
        assert_eq!(bar(0.5, 4, Style::Plain, &terminal).to_string(), "##..");
    }
}
