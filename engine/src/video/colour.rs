//! RGB to the 4:2:0 that video players expect: BT.709, limited range.
//!
//! ITU-R BT.709-6, item 3: Y' = 0.2126 R + 0.7152 G + 0.0722 B, Cb = (B - Y') / 1.8556, Cr = (R - Y') / 1.5748,
//! in 8 bits Y' in 16..=235 and Cb, Cr in 16..=240 around 128. Chroma samples lie on the left column of each 2x2
//! pixels, between its rows (H.264's default siting): weights 1 2 1 across, 1 1 down.

use rayon::prelude::*;

use crate::picture::Size;

/// Fractional bits of the coefficients.
const FRACTION_BITS: u32 = 16;

const Y_RANGE: f64 = 219.0 / 255.0;
const C_RANGE: f64 = 224.0 / 255.0;

const Y_R: i32 = fixed(0.2126 * Y_RANGE);
const Y_B: i32 = fixed(0.0722 * Y_RANGE);
/// What is missing to white, so that white is 235 exactly.
const Y_G: i32 = fixed(Y_RANGE) - Y_R - Y_B;

const CB_R: i32 = fixed(-0.2126 / 1.8556 * C_RANGE);
const CB_B: i32 = fixed((1.0 - 0.0722) / 1.8556 * C_RANGE);
/// What is missing to zero, so that greys have no colour.
const CB_G: i32 = -CB_R - CB_B;

const CR_R: i32 = fixed((1.0 - 0.2126) / 1.5748 * C_RANGE);
const CR_B: i32 = fixed(-0.0722 / 1.5748 * C_RANGE);
const CR_G: i32 = -CR_R - CR_B;

const fn fixed(coefficient: f64) -> i32 {
    let scaled = coefficient * (1 << FRACTION_BITS) as f64;
    (if scaled < 0.0 {
        scaled - 0.5
    } else {
        scaled + 0.5
    }) as i32
}

/// A frame of three planes without padding between rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Yuv420 {
    size: Size,
    y: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
}

impl Yuv420 {
    /// A frame of `size`, whose sides are even.
    pub fn new(size: Size) -> Self {
        let pixels = size.pixels() as usize;
        Self {
            size,
            y: vec![0; pixels],
            u: vec![0; pixels / 4],
            v: vec![0; pixels / 4],
        }
    }

    /// Size of the luma plane.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Luma (one byte a pixel), blue and red difference (one byte for 2x2 pixels).
    pub fn planes(&self) -> [&[u8]; 3] {
        [&self.y, &self.u, &self.v]
    }

    /// Converts a frame of packed RGB.
    ///
    /// # Panics
    /// If `rgb` is not width * height * 3 bytes long.
    pub fn convert(&mut self, rgb: &[u8]) {
        assert_eq!(rgb.len(), self.y.len() * 3, "a frame of RGB bytes");
        let width = self.size.width_px as usize;
        let luma = self.y.par_chunks_mut(2 * width);
        let blue = self.u.par_chunks_mut(width / 2);
        let red = self.v.par_chunks_mut(width / 2);
        rgb.par_chunks(2 * width * 3)
            .zip(luma.zip(blue.zip(red)))
            .for_each(|(rgb, (y, (u, v)))| convert_two_rows(rgb, y, u, v));
    }
}

fn convert_two_rows(rgb: &[u8], y: &mut [u8], u: &mut [u8], v: &mut [u8]) {
    for (y, pixel) in y.iter_mut().zip(rgb.chunks_exact(3)) {
        *y = luma([pixel[0], pixel[1], pixel[2]].map(i32::from));
    }
    let (upper, lower) = rgb.split_at(rgb.len() / 2);
    for (i, (u, v)) in u.iter_mut().zip(v).enumerate() {
        let column = 2 * i;
        let left = column.saturating_sub(1);
        let [r, g, b] = [0, 1, 2].map(|channel| {
            let at = |x: usize| [upper, lower].map(|row| i32::from(row[x * 3 + channel]));
            let [left, middle, right] =
                [left, column, column + 1].map(|x| at(x).iter().sum::<i32>());
            left + 2 * middle + right
        });
        *u = chroma(CB_R * r + CB_G * g + CB_B * b);
        *v = chroma(CR_R * r + CR_G * g + CR_B * b);
    }
}

fn luma([r, g, b]: [i32; 3]) -> u8 {
    const HALF: i32 = 1 << (FRACTION_BITS - 1);
    (16 + ((Y_R * r + Y_G * g + Y_B * b + HALF) >> FRACTION_BITS)) as u8
}

/// From the difference of eight weighted pixels; rounds, and stays within 16..=240 by the coefficients.
fn chroma(difference: i32) -> u8 {
    const BITS: u32 = FRACTION_BITS + 3;
    (128 + ((difference + (1 << (BITS - 1))) >> BITS)) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(size: Size, pixel: impl Fn(usize) -> [u8; 3]) -> Yuv420 {
        let rgb: Vec<u8> = (0..size.pixels() as usize).flat_map(pixel).collect();
        let mut frame = Yuv420::new(size);
        frame.convert(&rgb);
        frame
    }

    fn uniform(rgb: [u8; 3]) -> [u8; 3] {
        let frame = converted(Size::new(6, 4), |_| rgb);
        frame.planes().map(|plane| {
            assert!(plane.iter().all(|value| *value == plane[0]), "{frame:?}");
            plane[0]
        })
    }

    #[test]
    fn known_colours() {
        assert_eq!(uniform([255, 255, 255]), [235, 128, 128]);
        assert_eq!(uniform([0, 0, 0]), [16, 128, 128]);
        assert_eq!(uniform([255, 0, 0]), [63, 102, 240]);
        assert_eq!(uniform([0, 255, 0]), [173, 42, 26]);
        assert_eq!(uniform([0, 0, 255]), [32, 240, 118]);
        assert_eq!(uniform([255, 255, 0]), [219, 16, 138]);
    }

    #[test]
    fn greys_have_no_colour_and_rise_evenly() {
        for grey in 0..=255 {
            let [y, u, v] = uniform([grey; 3]);
            let exact = 16.0 + f64::from(grey) * 219.0 / 255.0;
            assert!((f64::from(y) - exact).abs() <= 0.501, "{grey}: {y}");
            assert_eq!((u, v), (128, 128));
        }
    }

    /// Full-range RGB from limited-range BT.709, by the inverse of the formulas above.
    fn decoded([y, u, v]: [u8; 3]) -> [f64; 3] {
        let y = (f64::from(y) - 16.0) / Y_RANGE;
        let cb = (f64::from(u) - 128.0) / C_RANGE;
        let cr = (f64::from(v) - 128.0) / C_RANGE;
        let (r, b) = (y + 1.5748 * cr, y + 1.8556 * cb);
        [r, (y - 0.2126 * r - 0.0722 * b) / 0.7152, b]
    }

    #[test]
    fn a_round_trip_costs_less_than_two_levels() {
        for i in 0..4096_u32 {
            let rgb = [i, i >> 4, i >> 8].map(|v| (v % 16 * 17) as u8);
            for (before, after) in rgb.into_iter().zip(decoded(uniform(rgb))) {
                assert!((f64::from(before) - after).abs() < 2.0, "{rgb:?}: {after}");
            }
        }
    }

    #[test]
    fn chroma_is_sited_on_the_left_column() {
        let red_column = |column| move |i: usize| [if i % 8 == column { 255 } else { 0 }, 0, 0];
        // The column of sample 1 itself: half of its weight.
        let frame = converted(Size::new(8, 2), red_column(2));
        assert_eq!(frame.v, [128, 184, 128, 128]);
        // Between samples 1 and 2: a quarter of each.
        let frame = converted(Size::new(8, 2), red_column(3));
        assert_eq!(frame.v, [128, 156, 156, 128]);
    }
}
