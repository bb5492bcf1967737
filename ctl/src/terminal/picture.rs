//! Pictures as half blocks: each cell shows two pixels, one in the colour of the character and one in that behind it.

use std::fmt::Write;

use anstyle::{Ansi256Color, Color, Reset, RgbColor, Style};

/// The upper half of a cell.
pub(crate) const UPPER_HALF: char = '▀';

/// Red, green, blue.
pub(crate) type Rgb = [u8; 3];

/// A picture's pixels, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) pixels: Vec<Rgb>,
}

/// The colours that a terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Palette {
    /// All that there are.
    TrueColour,
    /// 256: a cube of 6 x 6 x 6, and 24 greys.
    Indexed,
}

impl Picture {
    /// The picture in a PNG as workers write them: 8 bits a channel, RGB.
    pub(crate) fn from_png(data: &[u8]) -> Result<Self, png::DecodingError> {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(data));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info()?;
        let size = reader.output_buffer_size().unwrap_or_default();
        let mut bytes = vec![0; size];
        let frame = reader.next_frame(&mut bytes)?;
        let channels = frame.color_type.samples();
        let pixels = bytes[..frame.buffer_size()].chunks_exact(channels);
        let pixel = |samples: &[u8]| match samples {
            [red, green, blue, ..] => [*red, *green, *blue],
            [grey, ..] => [*grey; 3],
            [] => Rgb::default(),
        };
        Ok(Self {
            width: frame.width as usize,
            height: frame.height as usize,
            pixels: pixels.map(pixel).collect(),
        })
    }

    /// Scaled to this size, at least one pixel each way: a pixel is the mean of those that it covers.
    pub(crate) fn scaled(&self, (width, height): (usize, usize)) -> Self {
        let (width, height) = (width.max(1), height.max(1));
        let covered = |at: usize, of: usize, from: usize| {
            let start = at * from / of;
            start..((at + 1) * from).div_ceil(of).max(start + 1)
        };
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            let rows = covered(y, height, self.height);
            for x in 0..width {
                let columns = covered(x, width, self.width);
                let (mut sum, mut count) = ([0_usize; 3], 0);
                for row in rows.clone() {
                    let start = row * self.width;
                    for pixel in &self.pixels[start + columns.start..start + columns.end] {
                        count += 1;
                        for (sum, value) in sum.iter_mut().zip(pixel) {
                            *sum += usize::from(*value);
                        }
                    }
                }
                pixels.push(sum.map(|sum| (sum / count.max(1)) as u8));
            }
        }
        Self {
            width,
            height,
            pixels,
        }
    }
}

/// The pixels of each cell, the upper one first, of a picture that fits so many columns and rows. A cell is taken to be
/// twice as high as wide.
pub(crate) fn half_blocks(picture: &Picture, columns: usize, rows: usize) -> Vec<Vec<[Rgb; 2]>> {
    let fitting = fitted((picture.width, picture.height), (columns, rows * 2));
    let scaled = picture.scaled(fitting);
    let lines = scaled.pixels.chunks(scaled.width * 2);
    let cells = lines.map(|line| {
        let (upper, lower) = line.split_at(scaled.width);
        let lower = lower.iter().copied().map(Some);
        let lower = lower.chain(std::iter::repeat(None));
        let cells = upper.iter().zip(lower);
        // Where there is no lower row the upper one is doubled.
        cells.map(|(&upper, lower)| [upper, lower.unwrap_or(upper)])
    });
    cells.map(Iterator::collect).collect()
}

/// The largest size of the same aspect that fits, at least one each way. Nothing is made larger than it is.
pub(crate) fn fitted(
    (width, height): (usize, usize),
    (most_wide, most_high): (usize, usize),
) -> (usize, usize) {
    let (wide, high) = (most_wide.min(width).max(1), most_high.min(height).max(1));
    if width * high <= wide * height {
        ((width * high / height.max(1)).max(1), high)
    } else {
        (wide, (height * wide / width.max(1)).max(1))
    }
}

/// The cells as lines with colours, which end as they began.
pub(crate) fn lines(cells: &[Vec<[Rgb; 2]>], palette: Palette) -> Vec<String> {
    cells.iter().map(|line| in_colours(line, palette)).collect()
}

fn in_colours(line: &[[Rgb; 2]], palette: Palette) -> String {
    let mut text = String::new();
    let mut last = None;
    for cell in line {
        if last != Some(cell) {
            let [upper, lower] = cell.map(|rgb| Some(palette.colour(rgb)));
            let colours = Style::new().fg_color(upper).bg_color(lower);
            write!(text, "{colours}").expect("writing to a string cannot fail");
            last = Some(cell);
        }
        text.push(UPPER_HALF);
    }
    text + &Reset.render().to_string()
}

impl Palette {
    /// The colour of these that is nearest to a pixel's.
    pub(crate) fn colour(self, rgb: Rgb) -> Color {
        match self {
            Self::TrueColour => RgbColor(rgb[0], rgb[1], rgb[2]).into(),
            Self::Indexed => Ansi256Color(indexed(rgb)).into(),
        }
    }
}

/// The nearest of the 256 colours that are the same everywhere.
fn indexed(rgb: Rgb) -> u8 {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let nearest = |value: u8| {
        let levels = LEVELS.iter().enumerate();
        let (level, _) = levels
            .min_by_key(|(_, level)| level.abs_diff(value))
            .expect("there are levels");
        level as u8
    };
    let distance = |other: Rgb| -> u32 {
        let pairs = rgb.iter().zip(other);
        pairs
            .map(|(one, other)| u32::from(one.abs_diff(other)).pow(2))
            .sum()
    };
    let [red, green, blue] = rgb.map(nearest);
    let cube = [red, green, blue].map(|level| LEVELS[usize::from(level)]);
    let mean = rgb.iter().map(|value| u16::from(*value)).sum::<u16>() / 3;
    let grey = ((mean.saturating_sub(3)) / 10).min(23) as u8;
    if distance([8 + 10 * grey; 3]) < distance(cube) {
        232 + grey
    } else {
        16 + 36 * red + 6 * green + blue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: Rgb = [255, 0, 0];
    const BLUE: Rgb = [0, 0, 255];

    fn picture(width: usize, rows: &[Rgb]) -> Picture {
        Picture {
            width,
            height: rows.len(),
            pixels: rows.iter().flat_map(|row| vec![*row; width]).collect(),
        }
    }

    #[test]
    fn a_cell_has_two_pixels_and_an_odd_row_is_doubled() {
        let cells = half_blocks(&picture(2, &[RED, BLUE, RED]), 80, 24);
        assert_eq!(cells, [vec![[RED, BLUE]; 2], vec![[RED, RED]; 2]]);
    }

    #[test]
    fn a_picture_fits_its_window_and_keeps_its_aspect() {
        for (size, window, expected) in [
            ((300, 100), (60, 40), (60, 20)),
            ((100, 300), (60, 40), (13, 40)),
            ((10, 10), (80, 40), (10, 10)),
            ((1000, 1), (80, 40), (80, 1)),
            ((10, 10), (0, 0), (1, 1)),
        ] {
            assert_eq!(fitted(size, window), expected, "{size:?} {window:?}");
        }
        let cells = half_blocks(&picture(300, &[RED; 100]), 60, 20);
        assert_eq!((cells[0].len(), cells.len()), (60, 10));
    }

    #[test]
    fn a_pixel_is_the_mean_of_those_that_it_covers() {
        let scaled = picture(4, &[RED, BLUE]).scaled((2, 1));
        assert_eq!(scaled, picture(2, &[[127, 0, 127]]));
        let larger = picture(1, &[RED, BLUE]).scaled((1, 4));
        assert_eq!(larger, picture(1, &[RED, RED, BLUE, BLUE]));
    }

    #[test]
    fn a_line_says_a_colour_once_and_ends_as_it_began() {
        let cells = [vec![[RED, BLUE], [RED, BLUE]]];
        let line = lines(&cells, Palette::TrueColour).concat();
        assert_eq!(line, "\x1b[38;2;255;0;0m\x1b[48;2;0;0;255m▀▀\x1b[0m");
        let line = lines(&cells, Palette::Indexed).concat();
        assert_eq!(line, "\x1b[38;5;196m\x1b[48;5;21m▀▀\x1b[0m");
    }

    #[test]
    fn of_256_colours_the_nearest_is_taken() {
        for (rgb, expected) in [
            ([0, 0, 0], 16),
            ([255, 255, 255], 231),
            ([128, 128, 128], 244),
            ([95, 135, 0], 64),
        ] {
            assert_eq!(indexed(rgb), expected, "{rgb:?}");
        }
    }
}
