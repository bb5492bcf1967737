//! Resampling of 8-bit RGB, bit for bit what PIL's `Image.resize` gives.
//!
//! FramePack's start image and SigLIP's input both go through PIL, and a picture that differs by one level is
//! a different picture to the models. So this follows PIL's fixed-point engine (`libImaging/Resample.c` of
//! Pillow 13): two separable passes, an intermediate picture of 8 bits, weights of 22 fractional bits.
//!
//! Only the wanted window of the scaled picture is ever computed; each pixel of it is independent of the rest.

use std::ops::Range;

use image::RgbImage;
use rayon::prelude::*;

use super::size::Size;

/// Fractional bits of a weight: 32 less 8 of the pixel and 2 for overshoot.
const PRECISION_BITS: u32 = 22;

/// One half: added before the fraction is cut off.
const HALF: i32 = 1 << (PRECISION_BITS - 1);

/// Kernel of the resampling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// Windowed sinc with three lobes.
    Lanczos,
    /// Cubic convolution with a = -0.5.
    Bicubic,
}

impl Filter {
    fn support(self) -> f64 {
        match self {
            Self::Lanczos => 3.0,
            Self::Bicubic => 2.0,
        }
    }

    fn at(self, x: f64) -> f64 {
        match self {
            Self::Lanczos if (-3.0..3.0).contains(&x) => sinc(x) * sinc(x / 3.0),
            Self::Lanczos => 0.0,
            Self::Bicubic => cubic(x.abs()),
        }
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        return 1.0;
    }
    let x = x * std::f64::consts::PI;
    x.sin() / x
}

fn cubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

/// A part of a scaled picture: `columns` and `rows` of its pixel grid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Wanted columns.
    pub columns: Range<u64>,
    /// Wanted rows.
    pub rows: Range<u64>,
}

/// PIL's `image.resize((width, height), filter)`.
pub fn resize(image: &RgbImage, size: Size, filter: Filter) -> RgbImage {
    let [width, height] = [size.width_px, size.height_px].map(u64::from);
    let window = Window {
        columns: 0..width,
        rows: 0..height,
    };
    resize_window(image, [width, height], &window, filter)
}

/// The `window` of what `resize` to `scaled` = [width, height] would give.
///
/// # Panics
/// If the window is larger than `u32::MAX` in a direction; its memory would be long exhausted.
pub fn resize_window(
    image: &RgbImage,
    scaled: [u64; 2],
    window: &Window,
    filter: Filter,
) -> RgbImage {
    let (width, height) = image.dimensions();
    let columns = taps(width, scaled[0], window.columns.clone(), filter);
    let rows = taps(height, scaled[1], window.rows.clone(), filter);
    let stride = width as usize * 3;

    // A pass that does not change the size is the identity: its weights round to 2^22 at the pixel and 0 around it.
    let pixels = if vertical_first([width, height], scaled) {
        let low = resample_rows(image, stride, &rows);
        resample_columns(&low, stride, &columns)
    } else {
        let band = used(&rows);
        let band_pixels = &image.as_raw()[band.start * stride..band.end * stride];
        let narrow = resample_columns(band_pixels, stride, &columns);
        resample_rows(&narrow, columns.len() * 3, &shifted(rows, band.start))
    };
    let size = [window.columns.clone(), window.rows.clone()]
        .map(|range| u32::try_from(range.end - range.start).expect("a window fits in u32"));
    RgbImage::from_raw(size[0], size[1], pixels).expect("rows * columns * 3 bytes were computed")
}

/// Pillow's choice since version 13: whether the height shrinks by more than twice the pixels that the width does.
/// (Earlier versions always begin with the horizontal pass.) The order shows, since the picture between is rounded.
fn vertical_first(size: [u32; 2], scaled: [u64; 2]) -> bool {
    let loss = |i: usize| i128::from(size[i]) - i128::from(scaled[i]);
    loss(1) > 0 && loss(1) > 2 * loss(0)
}

/// The input pixels that one output pixel is the weighted sum of, along one axis.
struct Taps {
    first: usize,
    weights: Vec<i32>,
}

/// PIL's `precompute_coeffs` and `normalize_coeffs_8bpc` for the output pixels `wanted`.
fn taps(len_in: u32, len_out: u64, wanted: Range<u64>, filter: Filter) -> Vec<Taps> {
    let scale = f64::from(len_in) / len_out as f64;
    let filter_scale = scale.max(1.0);
    let support = filter.support() * filter_scale;
    let step = 1.0 / filter_scale;
    wanted
        .map(|i| {
            let center = (i as f64 + 0.5) * scale;
            let first = (center - support + 0.5).max(0.0) as usize;
            let end = ((center + support + 0.5) as usize).min(len_in as usize);
            let kernel: Vec<f64> = (first..end)
                .map(|k| filter.at((k as f64 - center + 0.5) * step))
                .collect();
            let sum: f64 = kernel.iter().sum();
            let weights = kernel.iter().map(|w| fixed_point(w / sum)).collect();
            Taps { first, weights }
        })
        .collect()
}

/// Rounds half away from zero to 22 fractional bits.
fn fixed_point(weight: f64) -> i32 {
    let half = 0.5_f64.copysign(weight);
    (weight * f64::from(1 << PRECISION_BITS) + half) as i32
}

/// The range of input pixels that `taps` read.
fn used(taps: &[Taps]) -> Range<usize> {
    let first = taps.iter().map(|t| t.first).min().unwrap_or(0);
    let end = taps.iter().map(|t| t.first + t.weights.len()).max();
    first..end.unwrap_or(first)
}

/// The same taps on an input that begins at pixel `start`.
fn shifted(mut taps: Vec<Taps>, start: usize) -> Vec<Taps> {
    for t in &mut taps {
        t.first -= start;
    }
    taps
}

/// The horizontal pass over rows of `stride` bytes.
fn resample_columns(image: &[u8], stride: usize, columns: &[Taps]) -> Vec<u8> {
    let mut out = vec![0; image.len() / stride * columns.len() * 3];
    out.par_chunks_mut(columns.len() * 3)
        .zip(image.par_chunks(stride))
        .for_each(|(out, row)| {
            for (pixel, taps) in out.chunks_exact_mut(3).zip(columns) {
                let mut sums = [HALF; 3];
                let source = row[taps.first * 3..].chunks_exact(3);
                for (rgb, weight) in source.zip(&taps.weights) {
                    add_weighted(&mut sums, rgb, *weight);
                }
                pixel.copy_from_slice(&sums.map(clip8));
            }
        });
    out
}

/// The vertical pass over rows of `stride` bytes.
fn resample_rows(image: &[u8], stride: usize, rows: &[Taps]) -> Vec<u8> {
    let mut out = vec![0; rows.len() * stride];
    out.par_chunks_mut(stride)
        .zip(rows)
        .for_each(|(out, taps)| {
            let mut sums = vec![HALF; stride];
            let source = image[taps.first * stride..].chunks_exact(stride);
            for (row, weight) in source.zip(&taps.weights) {
                add_weighted(&mut sums, row, *weight);
            }
            for (byte, sum) in out.iter_mut().zip(sums) {
                *byte = clip8(sum);
            }
        });
    out
}

fn add_weighted(sums: &mut [i32], values: &[u8], weight: i32) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += i32::from(*value) * weight;
    }
}

fn clip8(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([x * 37 + y * 11, x * y * 3, 255 - x * 5 + y * 91].map(|v| v as u8))
        })
    }

    #[test]
    fn same_size_is_a_copy() {
        let image = ramp(17, 9);
        for filter in [Filter::Lanczos, Filter::Bicubic] {
            assert_eq!(resize(&image, Size::new(17, 9), filter), image);
        }
    }

    #[test]
    fn a_constant_picture_stays_constant() {
        let image = RgbImage::from_pixel(31, 40, image::Rgb([3, 128, 255]));
        let small = resize(&image, Size::new(7, 90), Filter::Lanczos);
        assert!(small.pixels().all(|p| p.0 == [3, 128, 255]));
    }

    #[test]
    fn a_window_equals_the_crop_of_the_whole() {
        let image = ramp(50, 33);
        let whole = resize(&image, Size::new(80, 21), Filter::Lanczos);
        let window = Window {
            columns: 13..61,
            rows: 4..20,
        };
        let part = resize_window(&image, [80, 21], &window, Filter::Lanczos);
        let crop = image::imageops::crop_imm(&whole, 13, 4, 48, 16).to_image();
        assert_eq!(part, crop);
    }

    #[test]
    fn the_order_of_the_passes_is_pillows() {
        assert!(vertical_first([480, 832], [384, 384]));
        assert!(!vertical_first([544, 704], [384, 384]));
        assert!(!vertical_first([832, 480], [384, 384]));
        assert!(!vertical_first([200, 1500], [256, 1920]));
    }
}
