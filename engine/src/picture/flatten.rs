//! From whatever layout a picture has to RGB, on a colour where it is transparent.
//!
//! Opaque pictures are PIL's `convert("RGB")`, bit for bit; others are PIL's `alpha_composite` on that colour.

use framepack_jobs::picture::{Alpha, Colour};
use image::{DynamicImage, RgbImage};

/// A picture without transparency.
pub(super) struct Flat {
    pub(super) pixels: RgbImage,
    /// That some of it was transparent.
    pub(super) warning: Option<String>,
}

/// `None` for a picture of floats.
pub(super) fn flatten(image: DynamicImage, alpha: Alpha, background: Colour) -> Option<Flat> {
    use DynamicImage as D;
    let (width, height) = (image.width(), image.height());
    let high = |channels: Vec<u16>| channels.into_iter().map(|c| (c >> 8) as u8).collect();
    let layers = |rgba: &[u8]| Some(layers(rgba, alpha, background));
    let (pixels, transparent): (Vec<u8>, _) = match image {
        D::ImageRgb8(rgb) => (rgb.into_raw(), None),
        D::ImageLuma8(grey) => (repeat_grey(&grey.into_raw()), None),
        D::ImageRgb16(rgb) => (high(rgb.into_raw()), None),
        D::ImageLuma16(grey) => (repeat_grey(&high(grey.into_raw())), None),
        D::ImageRgba8(rgba) => layers(&rgba.into_raw())?,
        D::ImageLumaA8(grey) => layers(&grey_to_rgba(&grey.into_raw()))?,
        D::ImageRgba16(rgba) => layers(&high(rgba.into_raw()))?,
        D::ImageLumaA16(grey) => layers(&grey_to_rgba(&high(grey.into_raw())))?,
        _ => return None,
    };
    Some(Flat {
        pixels: RgbImage::from_raw(width, height, pixels)?,
        warning: transparent.map(|share| {
            format!(
                "start.image: {share} of it is transparent: put on {background} (start.background)"
            )
        }),
    })
}

fn repeat_grey(pixels: &[u8]) -> Vec<u8> {
    pixels.iter().flat_map(|grey| [*grey; 3]).collect()
}

fn grey_to_rgba(pixels: &[u8]) -> Vec<u8> {
    let pixels = pixels.chunks_exact(2);
    pixels.flat_map(|p| [p[0], p[0], p[0], p[1]]).collect()
}

/// Pixels with their opacity, on a colour; with how much of them is not opaque, if any is.
fn layers(rgba: &[u8], alpha: Alpha, background: Colour) -> (Vec<u8>, Option<String>) {
    let is_opaque = |pixel: &[u8]| pixel[3] == u8::MAX;
    let pixels = rgba.chunks_exact(4);
    let total = pixels.len();
    let transparent = pixels.clone().filter(|pixel| !is_opaque(pixel)).count();
    // The header knows of no opacity: the fourth channel is something else.
    if alpha == Alpha::None || transparent == 0 {
        return (pixels.flat_map(|p| [p[0], p[1], p[2]]).collect(), None);
    }
    let flat = pixels.flat_map(|p| {
        let colour = match alpha {
            Alpha::Premultiplied => [p[0], p[1], p[2]].map(|c| divided(c, p[3])),
            Alpha::Straight | Alpha::None => [p[0], p[1], p[2]],
        };
        let mut over = background.0;
        for (under, channel) in over.iter_mut().zip(colour) {
            *under = composite(channel, p[3], *under);
        }
        over
    });
    (flat.collect(), Some(share(transparent, total)))
}

/// PIL's `alpha_composite` over an opaque pixel: its weights have seven fractional bits.
fn composite(over: u8, alpha: u8, under: u8) -> u8 {
    let [over, alpha, under] = [over, alpha, under].map(u32::from);
    let sum = (over * alpha + under * (255 - alpha)) * 128 + (0x80 << 7);
    ((((sum >> 8) + sum) >> 8) >> 7) as u8
}

/// A colour before it was multiplied by its opacity, as PIL divides.
fn divided(colour: u8, alpha: u8) -> u8 {
    let (colour, alpha) = (u32::from(colour), u32::from(alpha));
    let divided = (255 * colour).checked_div(alpha);
    divided.unwrap_or(colour).min(255) as u8
}

/// In percent, for people.
fn share(part: usize, total: usize) -> String {
    match part * 100 / total {
        0 => "less than 1 %".to_owned(),
        percent => format!("{percent} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageBuffer, LumaA, Rgba};

    fn flat(image: impl Into<DynamicImage>, alpha: Alpha, background: [u8; 3]) -> ([u8; 3], bool) {
        let flat = flatten(image.into(), alpha, Colour(background)).unwrap();
        (flat.pixels.get_pixel(0, 0).0, flat.warning.is_some())
    }

    #[test]
    fn compositing_equals_pillows() {
        // (over, alpha, under, PIL 13's Image.alpha_composite)
        let cases = include!("../../../tests/fixtures/pictures/composite.rs");
        for (over, alpha, under, expected) in cases {
            assert_eq!(
                composite(over, alpha, under),
                expected,
                "{over} {alpha} {under}"
            );
        }
    }

    #[test]
    fn opaque_pictures_keep_their_bits_and_transparent_ones_get_the_colour() {
        let rgba = |alpha| ImageBuffer::from_pixel(2, 1, Rgba([10_u8, 20, 30, alpha]));
        assert_eq!(
            flat(rgba(255), Alpha::Straight, [1, 2, 3]),
            ([10, 20, 30], false)
        );
        assert_eq!(flat(rgba(0), Alpha::Straight, [1, 2, 3]), ([1, 2, 3], true));
        assert_eq!(flat(rgba(0), Alpha::None, [1, 2, 3]), ([10, 20, 30], false));
        assert_eq!(
            flat(rgba(51), Alpha::Premultiplied, [0; 3]),
            ([10, 20, 30], true)
        );
        let grey = ImageBuffer::from_pixel(2, 1, LumaA([7_u16 << 8, 0]));
        assert_eq!(flat(grey, Alpha::Straight, [9; 3]), ([9; 3], true));
        let nearly = ImageBuffer::from_pixel(2, 1, Rgba([1_u16 << 8, 2 << 8, 3 << 8, 0xFF01]));
        assert_eq!(flat(nearly, Alpha::Straight, [9; 3]), ([1, 2, 3], false));
    }

    #[test]
    fn the_warning_says_how_much_and_the_colour() {
        let image = ImageBuffer::from_fn(4, 2, |x, _| {
            Rgba([0_u8, 0, 0, if x == 0 { 9 } else { 255 }])
        });
        let warning = flatten(image.into(), Alpha::Straight, Colour::WHITE)
            .unwrap()
            .warning;
        let expected = "start.image: 25 % of it is transparent: put on #ffffff (start.background)";
        assert_eq!(warning.as_deref(), Some(expected));
    }
}
