//! A bar of what is done.

use super::symbol::{Symbol, Symbols};

/// `██████░░░░`: so many columns, of which the share from 0 to 1 is filled. It is full only when all is done.
pub(crate) fn bar(share: f64, columns: usize, symbols: Symbols) -> String {
    let full = (share.clamp(0.0, 1.0) * columns as f64).floor() as usize;
    let pieces = |symbol, count| symbols.text(symbol).repeat(count);
    pieces(Symbol::Full, full) + &pieces(Symbol::Empty, columns - full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_filled_from_the_left() {
        for (share, expected) in [
            (-1.0, "...."),
            (0.0, "...."),
            (0.5, "##.."),
            (0.999, "###."),
            (1.0, "####"),
            (f64::NAN, "...."),
        ] {
            assert_eq!(bar(share, 4, Symbols::Ascii), expected, "{share}");
        }
        assert_eq!(bar(0.5, 4, Symbols::Unicode), "██░░");
    }
}
