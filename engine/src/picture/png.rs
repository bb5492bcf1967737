//! PNG files for people: the contact sheet of a video.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use image::codecs::png::PngEncoder;
use image::{Rgb, RgbImage, imageops};

use super::size::Size;
use super::thumbnails::Thumbnails;

/// Columns of a contact sheet, and rows of a full one.
const COLUMNS: usize = 4;
const ROWS: usize = 3;
/// Longer side of a thumbnail in pixels.
const THUMBNAIL_PX: u32 = 320;
/// Space around and between thumbnails in pixels.
const GAP_PX: u32 = 8;
const BACKGROUND: Rgb<u8> = Rgb([24, 24, 24]);

/// Writes `image` to `path` as PNG.
pub fn write(path: &Path, image: &RgbImage) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    image
        .write_with_encoder(PngEncoder::new(&mut file))
        .map_err(io::Error::other)?;
    file.flush()
}

/// Collects evenly spaced frames of a video while it is being written, and draws them in a grid of 4 x 3.
///
/// The first and the last frame are always among them.
#[derive(Debug)]
pub struct ContactSheet(Thumbnails);

impl ContactSheet {
    /// A sheet for a video of `total_frames` frames of `size`.
    pub fn new(total_frames: usize, size: Size) -> Self {
        let shown = size.within(THUMBNAIL_PX);
        Self(Thumbnails::new((total_frames, COLUMNS * ROWS), size, shown))
    }

    /// Takes the next frame as packed RGB; those between the wanted ones cost nothing.
    ///
    /// # Panics
    /// If a wanted frame is not width * height * 3 bytes long.
    pub fn push_rgb(&mut self, rgb: &[u8]) {
        self.0.push_rgb(rgb);
    }

    /// The sheet of the frames seen; `None` when there were none.
    pub fn draw(&self) -> Option<RgbImage> {
        let thumbnails = self.0.pictures();
        let (width, height) = thumbnails.first()?.dimensions();
        let columns = thumbnails.len().min(COLUMNS);
        let rows = thumbnails.len().div_ceil(COLUMNS);
        let origin = |cell: usize, len: u32| GAP_PX + cell as u32 * (len + GAP_PX);
        let mut sheet =
            RgbImage::from_pixel(origin(columns, width), origin(rows, height), BACKGROUND);
        for (i, thumbnail) in thumbnails.iter().enumerate() {
            let [x, y] = [origin(i % COLUMNS, width), origin(i / COLUMNS, height)];
            imageops::replace(&mut sheet, thumbnail, x.into(), y.into());
        }
        Some(sheet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet_of(frames: usize) -> (ContactSheet, Option<RgbImage>) {
        let mut sheet = ContactSheet::new(frames, Size::new(16, 12));
        for i in 0..frames {
            sheet.push_rgb(&[i as u8, 0, 0].repeat(16 * 12));
        }
        let drawn = sheet.draw();
        (sheet, drawn)
    }

    #[test]
    fn shows_the_first_the_last_and_even_steps_between() {
        let (sheet, drawn) = sheet_of(145);
        let shown: Vec<u8> = sheet
            .0
            .pictures()
            .iter()
            .map(|t| t.get_pixel(0, 0)[0])
            .collect();
        assert_eq!(shown, [0, 13, 26, 39, 52, 65, 79, 92, 105, 118, 131, 144]);
        let drawn = drawn.unwrap();
        assert_eq!(drawn.dimensions(), (4 * 16 + 5 * 8, 3 * 12 + 4 * 8));
        assert_eq!(drawn.get_pixel(0, 0), &BACKGROUND);
        assert_eq!(drawn.get_pixel(8, 8)[0], 0);
        assert_eq!(drawn.get_pixel(8 + 3 * 24, 8 + 2 * 20)[0], 144);
    }

    #[test]
    fn short_videos_have_small_sheets() {
        assert!(sheet_of(0).1.is_none());
        assert_eq!(sheet_of(1).1.unwrap().dimensions(), (16 + 16, 12 + 16));
        assert_eq!(
            sheet_of(5).1.unwrap().dimensions(),
            (4 * 24 + 8, 2 * 20 + 8)
        );
    }
}
