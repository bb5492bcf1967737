//! TIFF in colours that the decoder does not convert: palettes, whose indices are decoded as greys and looked up here,
//! and YCbCr, as scanners and cameras write it with JPEG compression.

use std::io::Cursor;

use framepack_jobs::picture::tiff_palette_as_greys;
use image::error::{DecodingError, ImageFormatHint};
use image::{ImageError, ImageFormat, RgbImage, metadata::Orientation};
use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult};
use tiff::tags::Tag;

/// The pixels and how the camera was held; `None` for a TIFF that the usual decoder reads.
pub(super) fn decode(bytes: &[u8]) -> Option<Result<(RgbImage, Orientation), ImageError>> {
    let decoded = if let Some(greys) = tiff_palette_as_greys(bytes) {
        look_up(&greys)
    } else {
        let mut decoder = Decoder::new(Cursor::new(bytes)).ok()?;
        if !matches!(decoder.colortype(), Ok(ColorType::YCbCr(8))) {
            return None;
        }
        from_ycbcr(decoder)
    };
    Some(decoded.map_err(|error| {
        let format = ImageFormatHint::Exact(ImageFormat::Tiff);
        ImageError::Decoding(DecodingError::new(format, error))
    }))
}

type Bytes<'a> = Decoder<Cursor<&'a [u8]>>;

fn orientation(decoder: &mut Bytes<'_>) -> tiff::TiffResult<Orientation> {
    let orientation = decoder.find_tag_unsigned::<u8>(Tag::Orientation)?;
    let orientation = orientation.and_then(Orientation::from_exif);
    Ok(orientation.unwrap_or(Orientation::NoTransforms))
}

fn from_ycbcr(mut decoder: Bytes<'_>) -> tiff::TiffResult<(RgbImage, Orientation)> {
    let (width, height) = decoder.dimensions()?;
    let orientation = orientation(&mut decoder)?;
    let DecodingResult::U8(mut pixels) = decoder.read_image()? else {
        return Err(tiff::TiffUnsupportedError::UnsupportedBitsPerChannel(16).into());
    };
    for pixel in pixels.chunks_exact_mut(3) {
        pixel.copy_from_slice(&rgb([pixel[0], pixel[1], pixel[2]]));
    }
    let image = RgbImage::from_raw(width, height, pixels);
    let image = image.ok_or(tiff::TiffFormatError::InconsistentSizesEncountered)?;
    Ok((image, orientation))
}

/// As JFIF has it.
fn rgb(ycbcr: [u8; 3]) -> [u8; 3] {
    let [y, cb, cr] = ycbcr.map(f32::from);
    let (cb, cr) = (cb - 128.0, cr - 128.0);
    [
        y + 1.402 * cr,
        y - 0.344_136 * cb - 0.714_136 * cr,
        y + 1.772 * cb,
    ]
    .map(|channel| channel.round() as u8)
}

fn look_up(bytes: &[u8]) -> tiff::TiffResult<(RgbImage, Orientation)> {
    let mut decoder = Decoder::new(Cursor::new(bytes))?;
    let (width, height) = decoder.dimensions()?;
    let bits = decoder
        .find_tag_unsigned::<u8>(Tag::BitsPerSample)?
        .unwrap_or(1);
    let colours = decoder.get_tag_u16_vec(Tag::ColorMap)?;
    let orientation = orientation(&mut decoder)?;
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
    Ok((image, orientation))
}
