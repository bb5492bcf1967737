//! TIFF with a palette, which the decoder does not know: its indices are decoded as greys, and looked up here.

use std::io::Cursor;

use image::error::{DecodingError, ImageFormatHint};
use image::{ImageError, ImageFormat, RgbImage, metadata::Orientation};
use tiff::decoder::{Decoder, DecodingResult};
use tiff::tags::Tag;

const PHOTOMETRIC: u16 = 262;
const PALETTE: u16 = 3;
const BLACK_IS_ZERO: u16 = 1;

/// The pixels and how the camera was held; `None` for a TIFF without a palette.
pub(super) fn decode(bytes: &[u8]) -> Option<Result<(RgbImage, Orientation), ImageError>> {
    let as_grey = as_grey(bytes)?;
    let looked_up = look_up(&as_grey);
    Some(looked_up.map_err(|error| {
        let format = ImageFormatHint::Exact(ImageFormat::Tiff);
        ImageError::Decoding(DecodingError::new(format, error))
    }))
}

/// The same file with its pixels declared to be greys.
fn as_grey(bytes: &[u8]) -> Option<Vec<u8>> {
    let is_little = bytes.starts_with(b"II*\0");
    if !is_little && !bytes.starts_with(b"MM\0*") {
        return None;
    }
    let short = |at: usize| {
        let two = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if is_little {
            u16::from_le_bytes(two)
        } else {
            u16::from_be_bytes(two)
        })
    };
    let long = |at: usize| {
        let four = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if is_little {
            u32::from_le_bytes(four)
        } else {
            u32::from_be_bytes(four)
        })
    };
    let directory = long(4)? as usize;
    let entries = (0..usize::from(short(directory)?)).map(|number| directory + 2 + number * 12);
    let entry = entries
        .into_iter()
        .find(|at| short(*at) == Some(PHOTOMETRIC))?;
    if short(entry + 8)? != PALETTE {
        return None;
    }
    let grey = if is_little {
        BLACK_IS_ZERO.to_le_bytes()
    } else {
        BLACK_IS_ZERO.to_be_bytes()
    };
    let mut changed = bytes.to_vec();
    changed[entry + 8..entry + 10].copy_from_slice(&grey);
    Some(changed)
}

fn look_up(bytes: &[u8]) -> tiff::TiffResult<(RgbImage, Orientation)> {
    let mut decoder = Decoder::new(Cursor::new(bytes))?;
    let (width, height) = decoder.dimensions()?;
    let bits = decoder
        .find_tag_unsigned::<u8>(Tag::BitsPerSample)?
        .unwrap_or(1);
    let colours = decoder.get_tag_u16_vec(Tag::ColorMap)?;
    let orientation = decoder.find_tag_unsigned::<u8>(Tag::Orientation)?;
    let orientation = orientation.and_then(Orientation::from_exif);
    let DecodingResult::U8(rows) = decoder.read_image()? else {
        return Err(tiff::TiffUnsupportedError::UnsupportedBitsPerChannel(bits).into());
    };
    // Reds, then greens, then blues; the high byte of each.
    let reds = colours.len() / 3;
    let colour = |index: usize| {
        [0, 1, 2].map(|part| {
            colours
                .get(part * reds + index.min(reds.saturating_sub(1)))
                .map_or(0, |c| (c >> 8) as u8)
        })
    };
    let row_bytes = (width as usize * usize::from(bits)).div_ceil(8);
    let pixel = |x: u32, y: u32| {
        let bit = x as usize * usize::from(bits);
        let byte = rows
            .get(y as usize * row_bytes + bit / 8)
            .copied()
            .unwrap_or(0);
        let shift = 8 - bits.min(8) - (bit % 8) as u8;
        usize::from(byte >> shift & (0xFF >> (8 - bits.min(8))))
    };
    let image = RgbImage::from_fn(width, height, |x, y| image::Rgb(colour(pixel(x, y))));
    Ok((image, orientation.unwrap_or(Orientation::NoTransforms)))
}
