//! Pictures on a terminal, by the protocol that it has.

use std::fmt::Write;

use super::picture::{Palette, Picture, fitted, half_blocks, lines};

/// Most bytes of base64 in one of kitty's messages.
const KITTY_CHUNK: usize = 4096;
/// Levels of red, green and blue in a sixel picture: a terminal has 256 colours for it.
const SIXEL_LEVELS: [usize; 3] = [6, 7, 6];
/// Pixels of a cell, where the terminal does not say.
const CELL_PX: (usize, usize) = (10, 20);
/// A picture that is narrower, as latents are, is drawn with pixels so many times as large.
const SMALL_PX: usize = 400;
const ENLARGEMENT: usize = 3;

/// How a terminal shows pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Graphics {
    Kitty,
    Sixel,
    Blocks(Palette),
}

/// The window as far as a picture may fill it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
    /// Pixels of a cell, where the terminal says.
    pub(crate) cell_px: Option<(usize, usize)>,
}

/// A picture as it comes: base64 of a PNG, and its size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Encoded<'a> {
    pub(crate) base64: &'a str,
    pub(crate) size_px: (usize, usize),
}

/// What is written for a picture, and how many rows it takes; the cursor stands in the row behind them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Drawing {
    pub(crate) text: String,
    pub(crate) rows: usize,
}

impl Graphics {
    /// Draws a picture so that it fits. `decoded` is asked for where the terminal does not decode it itself.
    pub(crate) fn draw<E>(
        self,
        encoded: Encoded<'_>,
        window: Window,
        decoded: impl FnOnce() -> Result<Picture, E>,
    ) -> Result<Drawing, E> {
        Ok(match self {
            Self::Kitty => kitty(encoded, window),
            Self::Sixel => sixel(&decoded()?, window),
            Self::Blocks(palette) => blocks(&decoded()?, window, palette),
        })
    }
}

impl Window {
    /// How many columns and rows a picture takes that is drawn in pixels.
    fn cells(self, (width, height): (usize, usize)) -> ((usize, usize), (usize, usize)) {
        let (wide, high) = self.cell_px.unwrap_or(CELL_PX);
        let times = if width < SMALL_PX { ENLARGEMENT } else { 1 };
        let shown = (width * times, height * times);
        let size = fitted(shown, (self.columns * wide, self.rows * high));
        (size, (size.0.div_ceil(wide), size.1.div_ceil(high)))
    }
}

fn blocks(picture: &Picture, window: Window, palette: Palette) -> Drawing {
    let lines = lines(&half_blocks(picture, window.columns, window.rows), palette);
    let with_ends = lines.iter().flat_map(|line| [line, "\n"]);
    Drawing {
        rows: lines.len(),
        text: with_ends.collect(),
    }
}

/// <https://sw.kovidgoyal.net/kitty/graphics-protocol/>: the PNG itself, in pieces. The picture has a number, so that the
/// next one takes its place.
fn kitty(encoded: Encoded<'_>, window: Window) -> Drawing {
    let (_, (columns, rows)) = window.cells(encoded.size_px);
    let mut text = String::new();
    let mut rest = encoded.base64;
    let mut keys = format!("a=T,f=100,i=1,p=1,q=2,C=1,c={columns},r={rows},");
    loop {
        let (piece, others) = rest.split_at(rest.len().min(KITTY_CHUNK));
        let more = u8::from(!others.is_empty());
        write!(text, "\x1b_G{keys}m={more};{piece}\x1b\\").expect(NEVER_FAILS);
        if others.is_empty() {
            break;
        }
        rest = others;
        keys.clear();
    }
    text.push_str(&"\n".repeat(rows));
    Drawing { text, rows }
}

/// <https://vt100.net/docs/vt3xx-gp/chapter14.html>: six rows at a time, colour by colour.
fn sixel(picture: &Picture, window: Window) -> Drawing {
    let (size, (_, rows)) = window.cells((picture.width, picture.height));
    let picture = picture.scaled(size);
    let mut text = format!("\x1bP0;1q\"1;1;{};{}", picture.width, picture.height);
    let colours: usize = SIXEL_LEVELS.iter().product();
    for colour in 0..colours {
        let [red, green, blue] = per_cent(colour);
        write!(text, "#{colour};2;{red};{green};{blue}").expect(NEVER_FAILS);
    }
    for band in picture.pixels.chunks(picture.width * 6) {
        let indexed: Vec<usize> = band.iter().map(|pixel| sixel_colour(*pixel)).collect();
        let mut used = indexed.clone();
        used.sort_unstable();
        used.dedup();
        for colour in used {
            write!(text, "#{colour}").expect(NEVER_FAILS);
            let mut columns = (0..picture.width)
                .map(|x| sixel_column(&indexed, (x, picture.width), colour))
                .peekable();
            while let Some(sixel) = columns.next() {
                let mut count = 1;
                while columns.next_if_eq(&sixel).is_some() {
                    count += 1;
                }
                match count {
                    1..=3 => (0..count).for_each(|_| text.push(sixel)),
                    _ => write!(text, "!{count}{sixel}").expect(NEVER_FAILS),
                }
            }
            text.push('$');
        }
        text.push('-');
    }
    text.push_str("\x1b\\\n");
    Drawing { text, rows }
}

/// The character for a column of a band: a bit for each of its rows that has the colour.
fn sixel_column(band: &[usize], (x, width): (usize, usize), colour: usize) -> char {
    let rows = band.iter().skip(x).step_by(width).enumerate();
    let bits: u8 = rows
        .filter(|(_, found)| **found == colour)
        .map(|(row, _)| 1 << row)
        .sum();
    char::from(b'?' + bits)
}

fn sixel_colour(pixel: [u8; 3]) -> usize {
    let levels = pixel.iter().zip(SIXEL_LEVELS);
    levels.fold(0, |colour, (value, levels)| {
        colour * levels + (usize::from(*value) * (levels - 1) + 127) / 255
    })
}

/// A colour's red, green and blue in per cent.
fn per_cent(colour: usize) -> [usize; 3] {
    let [_, greens, blues] = SIXEL_LEVELS;
    let levels = [
        colour / (greens * blues),
        colour / blues % greens,
        colour % blues,
    ];
    std::array::from_fn(|channel| levels[channel] * 100 / (SIXEL_LEVELS[channel] - 1))
}

const NEVER_FAILS: &str = "writing to a string cannot fail";

#[cfg(test)]
mod tests;
