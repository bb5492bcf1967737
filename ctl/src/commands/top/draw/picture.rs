//! A line of a picture: each cell shows two pixels, one in the colour of the character and one in that behind it.

use ratatui::{buffer::Buffer, layout::Rect, style::Color};

use crate::terminal::picture::{Palette, Rgb, indexed};

/// The upper half of a cell.
const UPPER_HALF: char = '▀';

pub(super) fn draw(pixels: &[[Rgb; 2]], at: Rect, palette: Palette, buffer: &mut Buffer) {
    let color = |rgb: Rgb| match palette {
        Palette::TrueColour => Color::Rgb(rgb[0], rgb[1], rgb[2]),
        Palette::Indexed => Color::Indexed(indexed(rgb)),
    };
    for (x, [upper, lower]) in (at.x..at.right()).zip(pixels) {
        let cell = &mut buffer[(x, at.y)];
        cell.set_char(UPPER_HALF)
            .set_fg(color(*upper))
            .set_bg(color(*lower));
    }
}
