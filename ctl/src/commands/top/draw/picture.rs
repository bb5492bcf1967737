//! A line of a picture on the screen, in half blocks.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::terminal::picture::{Palette, Rgb, UPPER_HALF};

pub(super) fn draw(pixels: &[[Rgb; 2]], at: Rect, palette: Palette, buffer: &mut Buffer) {
    for (x, [upper, lower]) in (at.x..at.right()).zip(pixels) {
        let cell = &mut buffer[(x, at.y)];
        cell.set_char(UPPER_HALF)
            .set_fg(palette.colour(*upper).into())
            .set_bg(palette.colour(*lower).into());
    }
}
