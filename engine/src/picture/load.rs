//! Reads an image file, by its first bytes and not by its name: the formats of [`framepack_jobs::picture::Format`].
//!
//! The result is what PIL's `ImageOps.exif_transpose(Image.open(path)).convert("RGB")` shows: palettes and greys are
//! expanded, 16-bit channels keep their high byte, the camera's orientation is applied, colour profiles are not.
//! Three exceptions: what is transparent is put on a colour, where PIL drops the opacity and shows what was erased; a
//! 16-bit grey picture keeps its high byte, where PIL clips it to white; and JPEG, which is only defined up to the
//! decoder's rounding, may differ from libjpeg-turbo by a few levels.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use framepack_jobs::picture::{Colour, Format, Header, examine, png_with_end};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};

use super::{error::PictureError, flatten::flatten, profile, size::MAX_FILE_BYTES, tiff};

/// A picture that was read.
#[derive(Debug)]
pub struct Picture {
    /// Its pixels, upright.
    pub pixels: RgbImage,
    /// What is not shown as its user may expect, for people.
    pub warnings: Vec<String>,
}

/// Reads the picture at `path` as 8-bit RGB, upright; `background` shows where it is transparent.
pub fn load(path: &Path, background: Colour) -> Result<Picture, PictureError> {
    let bytes = read(path)?;
    decode(&bytes, path, background)
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
fn decode(bytes: &[u8], path: &Path, background: Colour) -> Result<Picture, PictureError> {
    let undecodable = |error: ImageError| {
        let (path, reason) = (path.to_owned(), error.to_string());
        match error {
            ImageError::Unsupported(_) => PictureError::Unsupported { path, reason },
            _ => PictureError::Undecodable { path, reason },
        }
    };
    let unreadable = |source| PictureError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let header = examine(Cursor::new(bytes))
        .map_err(unreadable)?
        .map_err(|unfit| PictureError::Unfit {
            path: path.to_owned(),
            unfit,
        })?;
    let decoded = decode_pixels(bytes, &header).map_err(undecodable)?;
    let mut warnings = remarks(&header, decoded.profile.as_deref());
    let flat = flatten(decoded.image, header.alpha, background);
    let flat = flat.ok_or_else(|| PictureError::Unsupported {
        path: path.to_owned(),
        reason: "floating-point channels".to_owned(),
    })?;
    warnings.splice(0..0, flat.warning);
    Ok(Picture {
        pixels: flat.pixels,
        warnings,
    })
}

/// Pixels in whatever layout they had, and the colour profile.
struct Decoded {
    image: DynamicImage,
    profile: Option<Vec<u8>>,
}

fn decode_pixels(bytes: &[u8], header: &Header) -> Result<Decoded, ImageError> {
    if header.format == Format::Tiff
        && let Some(decoded) = tiff::decode(bytes)
    {
        let (image, orientation) = decoded?;
        return Ok(upright(image.into(), orientation, None));
    }
    let completed = match header.format {
        Format::Png => png_with_end(bytes),
        _ => None,
    };
    let bytes = completed.as_deref().unwrap_or(bytes);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), decoder_of(header.format));
    reader.limits(limits());
    let mut decoder = reader.into_decoder()?;
    // Whatever a camera or an editor wrote beside the pixels: damage there is none of the picture's.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().unwrap_or(None);
    let image = DynamicImage::from_decoder(decoder)?;
    Ok(upright(image, orientation, profile))
}

fn upright(mut image: DynamicImage, orientation: Orientation, profile: Option<Vec<u8>>) -> Decoded {
    image.apply_orientation(orientation);
    Decoded { image, profile }
}

fn decoder_of(format: Format) -> ImageFormat {
    match format {
        Format::Jpeg => ImageFormat::Jpeg,
        Format::Png => ImageFormat::Png,
        Format::WebP => ImageFormat::WebP,
        Format::Tiff => ImageFormat::Tiff,
        Format::Gif => ImageFormat::Gif,
        Format::Bmp => ImageFormat::Bmp,
        Format::Pnm => ImageFormat::Pnm,
        Format::Qoi => ImageFormat::Qoi,
    }
}

/// The pixel limit is checked with the header; this bounds what a decoder allocates beside the pixels.
fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(2 * MAX_FILE_BYTES);
    limits
}

/// What header and profile tell that is not shown.
fn remarks(header: &Header, profile: Option<&[u8]>) -> Vec<String> {
    let more = header.has_more.then(|| {
        let parts = match header.format {
            Format::Tiff => "pages",
            _ => "frames",
        };
        format!(
            "start.image: the {} has several {parts}; the first is used",
            header.format
        )
    });
    let profile = profile.and_then(profile::foreign).map(|name| {
        format!("start.image: its colour profile ({name}) is not applied: colours may look paler or stronger than in a viewer")
    });
    more.into_iter().chain(profile).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use framepack_jobs::Code;
    use image::{ImageBuffer, Luma, LumaA, Rgb, Rgba};

    fn encode(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn decoded(bytes: &[u8]) -> Result<RgbImage, PictureError> {
        let picture = decode(bytes, Path::new("start.png"), Colour::WHITE)?;
        Ok(picture.pixels)
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
                [255, 255, 255],
            ),
            (
                ImageBuffer::from_pixel(3, 2, Rgba([1_u8, 2, 3, 255])).into(),
                [1, 2, 3],
            ),
            (
                ImageBuffer::from_pixel(3, 2, Rgb([0x01FF_u16, 0x0200, 0xFFFF])).into(),
                [1, 2, 255],
            ),
            (
                ImageBuffer::from_pixel(3, 2, Rgba([0x0100_u16, 0x80, 0, 0xFFFF])).into(),
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
        let code = |bytes| decoded(bytes).unwrap_err().code();
        assert_eq!(code(b"GIF89a\x01\0\x01\0"), Code::IMAGE_DAMAGED);
        assert_eq!(code(b"start: {image: a.png}\n"), Code::IMAGE_NOT_A_PICTURE);
        assert_eq!(code(b""), Code::IMAGE_EMPTY);
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
            load(&dir.path().join("none.png"), Colour::WHITE)
                .unwrap_err()
                .code()
                .as_str(),
            "FP2001"
        );
        assert_eq!(
            load(dir.path(), Colour::WHITE).unwrap_err().code().as_str(),
            "FP2003"
        );
    }
}
