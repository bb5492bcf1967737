//! Evenly spaced frames of a video, scaled down while it is being written, and pictures of them.

use image::{RgbImage, imageops};

use super::{
    resample::{Filter, resize},
    size::Size,
};

/// Collects frames of a video while it is being written. The first and the last one are always among them.
#[derive(Debug)]
pub struct Thumbnails {
    /// Indices of the frames to keep, ascending.
    wanted: Vec<usize>,
    size: Size,
    shown: Size,
    /// Frames seen so far.
    seen_frames: usize,
    pictures: Vec<RgbImage>,
}

impl Thumbnails {
    /// At most so many of `total_frames` frames of `size`, as large as `shown`.
    pub fn new((total_frames, most): (usize, usize), size: Size, shown: Size) -> Self {
        let wanted = evenly_spaced(total_frames, most);
        Self {
            pictures: Vec::with_capacity(wanted.len()),
            wanted,
            size,
            shown,
            seen_frames: 0,
        }
    }

    /// Takes the next frame as packed RGB; those between the wanted ones cost nothing.
    ///
    /// # Panics
    /// If a wanted frame is not width * height * 3 bytes long.
    pub fn push_rgb(&mut self, rgb: &[u8]) {
        if self.wanted.get(self.pictures.len()) == Some(&self.seen_frames) {
            self.pictures.push(thumbnail(rgb, self.size, self.shown));
        }
        self.seen_frames += 1;
    }

    /// Those of the wanted frames that were seen, in their order.
    pub fn pictures(&self) -> &[RgbImage] {
        &self.pictures
    }
}

/// A frame of packed RGB as large as `shown`.
///
/// # Panics
/// If it is not width * height * 3 bytes long.
pub fn thumbnail(rgb: &[u8], size: Size, shown: Size) -> RgbImage {
    let frame = RgbImage::from_raw(size.width_px, size.height_px, rgb.to_vec())
        .expect("a frame is width * height * 3 bytes");
    resize(&frame, shown, Filter::Lanczos)
}

/// Indices of at most `most` of so many frames. Rounded, so that the steps between neighbours differ by one frame at most.
pub fn evenly_spaced(total_frames: usize, most: usize) -> Vec<usize> {
    let count = total_frames.min(most);
    let last = total_frames.saturating_sub(1);
    let gaps = count.saturating_sub(1);
    (0..count)
        .map(|i| (i * last + gaps / 2) / gaps.max(1))
        .collect()
}

/// Pictures of one size side by side; `None` of none.
pub fn row(pictures: &[RgbImage]) -> Option<RgbImage> {
    let (width, height) = pictures.first()?.dimensions();
    let mut joined = RgbImage::new(width * pictures.len() as u32, height);
    for (i, picture) in (0_i64..).zip(pictures) {
        imageops::replace(&mut joined, picture, i * i64::from(width), 0);
    }
    Some(joined)
}

/// Pictures of one size, one beneath the other; `None` of none.
pub fn column(pictures: &[RgbImage]) -> Option<RgbImage> {
    let (width, height) = pictures.first()?.dimensions();
    let mut joined = RgbImage::new(width, height * pictures.len() as u32);
    for (i, picture) in (0_i64..).zip(pictures) {
        imageops::replace(&mut joined, picture, 0, i * i64::from(height));
    }
    Some(joined)
}

impl Size {
    /// Scaled down so that the longer side is no longer than that, never up.
    #[must_use]
    pub fn within(self, longer_px: u32) -> Self {
        self.scaled(self.width_px.max(self.height_px), longer_px)
    }

    /// Scaled down so that it is no wider than that, never up.
    #[must_use]
    pub fn no_wider(self, width_px: u32) -> Self {
        self.scaled(self.width_px, width_px)
    }

    fn scaled(self, from_px: u32, to_px: u32) -> Self {
        let to_px = to_px.min(from_px);
        let scaled = |px: u32| (px * to_px).div_ceil(from_px);
        Self::new(scaled(self.width_px), scaled(self.height_px))
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn sizes_keep_their_aspect() {
        assert_eq!(Size::new(640, 608).within(320), Size::new(320, 304));
        assert_eq!(Size::new(160, 96).within(320), Size::new(160, 96));
        assert_eq!(Size::new(480, 832).no_wider(224), Size::new(224, 389));
        assert_eq!(Size::new(96, 64).no_wider(224), Size::new(96, 64));
    }

    #[test]
    fn the_ends_are_always_shown() {
        assert_eq!(evenly_spaced(36, 3), [0, 18, 35]);
        assert_eq!(evenly_spaced(2, 3), [0, 1]);
        assert_eq!(evenly_spaced(9, 1), [0]);
        assert_eq!(evenly_spaced(0, 3), [0; 0]);
    }

    #[test]
    fn pictures_lie_in_order() {
        let pictures = [1, 2, 3].map(|grey| RgbImage::from_pixel(4, 2, Rgb([grey; 3])));
        let row = row(&pictures).unwrap();
        assert_eq!(row.dimensions(), (12, 2));
        assert_eq!([0, 4, 11].map(|x| row.get_pixel(x, 1)[0]), [1, 2, 3]);
        let column = column(&pictures).unwrap();
        assert_eq!(column.dimensions(), (4, 6));
        assert_eq!([0, 2, 5].map(|y| column.get_pixel(3, y)[0]), [1, 2, 3]);
    }
}
