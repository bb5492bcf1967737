//! Reads an image file: JPEG, PNG, WebP or TIFF, by its first bytes and not by its name.
//!
//! The result is what PIL's `ImageOps.exif_transpose(Image.open(path)).convert("RGB")` shows: alpha is dropped,
//! palettes and greys are expanded, 16-bit channels keep their high byte, the camera's orientation is applied.
//! Two exceptions: a 16-bit grey picture also keeps its high byte, where PIL clips it to white; and JPEG, which
//! is only defined up to the decoder's rounding, may differ from libjpeg-turbo by a few levels.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};

use super::{
    error::PictureError,
    size::{MAX_FILE_BYTES, MAX_PIXELS, Size},
};

/// Reads the picture at `path` as 8-bit RGB, upright.
pub fn load(path: &Path) -> Result<RgbImage, PictureError> {
    let bytes = read(path)?;
    decode(&bytes, path)
}

fn read(path: &Path) -> Result<Vec<u8>, PictureError> {
    let unreadable = |source| PictureError::Unreadable {
        path: path.to_owned(),
        source,
    };
    // Asked before opening, since opening a pipe blocks.
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(PictureError::NotAFile {
            path: path.to_owned(),
        });
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(PictureError::FileTooLarge {
            path: path.to_owned(),
            bytes: metadata.len(),
        });
    }
    fs::read(path).map_err(unreadable)
}

/// Decodes a picture; `path` is only for messages.
fn decode(bytes: &[u8], path: &Path) -> Result<RgbImage, PictureError> {
    let undecodable = |reason: ImageError| PictureError::Undecodable {
        path: path.to_owned(),
        reason: reason.to_string(),
    };
    let format = accepted_format(bytes).ok_or_else(|| PictureError::UnknownFormat {
        path: path.to_owned(),
    })?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits());
    let mut decoder = reader.into_decoder().map_err(undecodable)?;

    let (width_px, height_px) = decoder.dimensions();
    let size = Size::new(width_px, height_px);
    if size.pixels() > MAX_PIXELS {
        return Err(PictureError::TooManyPixels {
            path: path.to_owned(),
            size,
        });
    }
    if format == ImageFormat::Jpeg && !jpeg_is_complete(bytes) {
        return Err(PictureError::Undecodable {
            path: path.to_owned(),
            reason: "the file is truncated".to_owned(),
        });
    }
    let orientation = decoder.orientation().map_err(undecodable)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(undecodable)?;
    image.apply_orientation(orientation);
    to_rgb(image).ok_or_else(|| PictureError::Undecodable {
        path: path.to_owned(),
        reason: "floating-point channels".to_owned(),
    })
}

fn accepted_format(bytes: &[u8]) -> Option<ImageFormat> {
    use ImageFormat::{Jpeg, Png, Tiff, WebP};
    let format = image::guess_format(bytes).ok()?;
    matches!(format, Jpeg | Png | WebP | Tiff).then_some(format)
}

/// The pixel limit is checked on its own; this bounds what a decoder allocates beside the pixels.
fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(2 * MAX_FILE_BYTES);
    limits
}

/// Whether the last scan ends in an end-of-image marker. The decoder paints what is missing grey and says nothing.
///
/// Within a scan 0xFF is always followed by a zero or a restart marker, so the pair cannot be pixels.
fn jpeg_is_complete(bytes: &[u8]) -> bool {
    const START_OF_SCAN: [u8; 2] = [0xFF, 0xDA];
    const END_OF_IMAGE: [u8; 2] = [0xFF, 0xD9];
    let last_scan = bytes.windows(2).rposition(|pair| pair == START_OF_SCAN);
    last_scan.is_some_and(|start| bytes[start..].windows(2).any(|pair| pair == END_OF_IMAGE))
}

/// PIL's `convert("RGB")`; `None` for a picture of floats.
fn to_rgb(image: DynamicImage) -> Option<RgbImage> {
    use DynamicImage as D;
    let (width, height) = (image.width(), image.height());
    let high = |channels: Vec<u16>| channels.into_iter().map(|c| (c >> 8) as u8).collect();
    let pixels: Vec<u8> = match image {
        D::ImageRgb8(rgb) => return Some(rgb),
        D::ImageRgba8(rgba) => take_rgb(&rgba.into_raw(), 4),
        D::ImageLuma8(grey) => repeat_grey(&grey.into_raw(), 1),
        D::ImageLumaA8(grey) => repeat_grey(&grey.into_raw(), 2),
        D::ImageRgb16(rgb) => high(rgb.into_raw()),
        D::ImageRgba16(rgba) => take_rgb(&high(rgba.into_raw()), 4),
        D::ImageLuma16(grey) => repeat_grey(&high(grey.into_raw()), 1),
        D::ImageLumaA16(grey) => repeat_grey(&high(grey.into_raw()), 2),
        _ => return None,
    };
    RgbImage::from_raw(width, height, pixels)
}

fn take_rgb(pixels: &[u8], channels: usize) -> Vec<u8> {
    let pixels = pixels.chunks_exact(channels);
    pixels.flat_map(|p| [p[0], p[1], p[2]]).collect()
}

fn repeat_grey(pixels: &[u8], channels: usize) -> Vec<u8> {
    pixels
        .chunks_exact(channels)
        .flat_map(|p| [p[0]; 3])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageBuffer, Luma, LumaA, Rgb, Rgba};

    fn encode(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn decoded(bytes: &[u8]) -> Result<RgbImage, PictureError> {
        decode(bytes, Path::new("start.png"))
    }

    #[test]
    fn every_layout_becomes_rgb() {
        let layouts: [(DynamicImage, [u8; 3]); 6] = [
            (
                ImageBuffer::from_pixel(3, 2, Luma([7_u8])).into(),
                [7, 7, 7],
            ),
            (
                ImageBuffer::from_pixel(3, 2, LumaA([7_u8, 0])).into(),
                [7, 7, 7],
            ),
            (
                ImageBuffer::from_pixel(3, 2, Rgba([1_u8, 2, 3, 0])).into(),
                [1, 2, 3],
            ),
            (
                ImageBuffer::from_pixel(3, 2, Rgb([0x01FF_u16, 0x0200, 0xFFFF])).into(),
                [1, 2, 255],
            ),
            (
                ImageBuffer::from_pixel(3, 2, Rgba([0x0100_u16, 0x80, 0, 9])).into(),
                [1, 0, 0],
            ),
            (
                ImageBuffer::from_pixel(3, 2, Luma([0x80FF_u16])).into(),
                [128, 128, 128],
            ),
        ];
        for (image, expected) in layouts {
            let rgb = decoded(&encode(&image, ImageFormat::Png)).unwrap();
            assert_eq!(rgb.dimensions(), (3, 2));
            assert!(rgb.pixels().all(|p| p.0 == expected), "{:?}", image.color());
        }
    }

    #[test]
    fn the_name_does_not_matter() {
        let image: DynamicImage = ImageBuffer::from_pixel(4, 4, Rgb([200_u8, 10, 10])).into();
        for format in [ImageFormat::Tiff, ImageFormat::WebP, ImageFormat::Jpeg] {
            let rgb = decoded(&encode(&image, format)).unwrap();
            assert!(rgb.pixels().all(|p| p[0].abs_diff(200) < 3), "{format:?}");
        }
    }

    #[test]
    fn the_orientation_of_the_camera_is_applied() {
        let wide: DynamicImage = ImageBuffer::from_fn(4, 2, |x, _| Rgb([x as u8, 0, 0])).into();
        let mut encoded = Cursor::new(Vec::new());
        let mut encoder = image::codecs::png::PngEncoder::new(&mut encoded);
        // A TIFF header and one directory entry: orientation (0x0112), short, one value, 6 = turn clockwise.
        let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
        image::ImageEncoder::set_exif_metadata(&mut encoder, exif).unwrap();
        wide.write_with_encoder(encoder).unwrap();

        let upright = decoded(encoded.get_ref()).unwrap();
        assert_eq!(upright.dimensions(), (2, 4));
        assert_eq!(upright.get_pixel(0, 3)[0], 3);
    }

    #[test]
    fn truncated_pictures_are_errors() {
        let image: DynamicImage = ImageBuffer::from_fn(64, 64, |x, y| {
            Rgb([x as u8 * 3, y as u8 * 3, (x * y) as u8])
        })
        .into();
        let formats = [
            ImageFormat::Png,
            ImageFormat::Jpeg,
            ImageFormat::WebP,
            ImageFormat::Tiff,
        ];
        for format in formats {
            let bytes = encode(&image, format);
            let error = decoded(&bytes[..bytes.len() * 2 / 3]).unwrap_err();
            assert_eq!(error.code().as_str(), "FP2006", "{format:?}: {error}");
        }
    }

    #[test]
    fn other_files_are_refused() {
        assert_eq!(
            decoded(b"GIF89a\x01\0\x01\0").unwrap_err().code().as_str(),
            "FP2004"
        );
        assert_eq!(
            decoded(b"start: {image: a.png}\n")
                .unwrap_err()
                .code()
                .as_str(),
            "FP2004"
        );
        assert_eq!(decoded(b"").unwrap_err().code().as_str(), "FP2004");
    }

    #[test]
    fn a_bomb_is_refused_by_its_header() {
        let image: DynamicImage = ImageBuffer::from_pixel(2, 2, Luma([0_u8])).into();
        let mut bytes = encode(&image, ImageFormat::Png);
        // Width and height of the header chunk, which starts at byte 16; then its checksum.
        bytes[16..24].copy_from_slice(&[0, 0, 0x80, 0, 0, 0, 0x80, 0]);
        let crc = png_crc(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&crc.to_be_bytes());
        let error = decoded(&bytes).unwrap_err();
        assert_eq!(error.code().as_str(), "FP2005", "{error}");
    }

    fn png_crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
            })
        })
    }

    #[test]
    fn missing_files_and_folders_have_their_own_codes() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(
            load(&dir.path().join("none.png"))
                .unwrap_err()
                .code()
                .as_str(),
            "FP2001"
        );
        assert_eq!(load(dir.path()).unwrap_err().code().as_str(), "FP2003");
    }
}
