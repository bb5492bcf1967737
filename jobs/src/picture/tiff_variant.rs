//! Which of TIFF's many variants are not read: by compression, meaning of the channels, and their width.

use super::tiff::{BLACK_IS_ZERO, Directory, PALETTE};

const WHITE_IS_ZERO: u32 = 0;
const RGB: u32 = 2;
const CMYK: u32 = 5;
const YCBCR: u32 = 6;
const JPEG: u32 = 7;
/// None, CCITT G4, LZW, JPEG, Deflate, `PackBits`, Deflate by its old number, zstd, WebP.
const COMPRESSIONS: [u32; 9] = [1, 4, 5, JPEG, 8, 32773, 32946, 50000, 50001];

/// What a picture is that the worker does not read.
pub(super) fn variant(directory: &Directory) -> Option<&'static str> {
    match directory.format {
        Some(3) => return Some("a TIFF with floating-point channels"),
        Some(2) => return Some("a TIFF with signed channels"),
        _ => {}
    }
    let compression = directory.compression.unwrap_or(1);
    if !COMPRESSIONS.contains(&compression) {
        return Some(compression_name(compression));
    }
    let (bits, are_equal) = directory.bits.unwrap_or((1, true));
    if !are_equal {
        return Some("a TIFF whose channels have different numbers of bits");
    }
    let by_colour = match directory.photometric {
        // What nobody says can't be decoded; a directory without a picture is something else.
        None if directory.width > 0 => Some("a TIFF that does not say what its channels are"),
        None => None,
        Some(WHITE_IS_ZERO | BLACK_IS_ZERO) => grey(directory, bits),
        Some(RGB) => rgb(directory, bits),
        Some(PALETTE) => palette(directory, bits),
        Some(CMYK) => cmyk(directory, bits),
        Some(YCBCR) => ycbcr(directory, bits, compression),
        Some(8..=10) => Some("a TIFF in CIELab colours"),
        Some(32844 | 32845) => Some("a TIFF in LogLuv colours"),
        Some(4) => Some("a TIFF that is only a mask"),
        Some(_) => Some("a TIFF in colours of an unknown kind"),
    };
    let by_predictor = match directory.predictor {
        None | Some(1) => None,
        Some(2) if bits >= 8 => None,
        Some(_) => Some("a TIFF with an unusual predictor"),
    };
    by_colour.or(by_predictor)
}

fn compression_name(compression: u32) -> &'static str {
    match compression {
        2 => "a TIFF with CCITT RLE compression",
        3 => "a TIFF with CCITT G3 compression",
        6 => "a TIFF with old-style JPEG compression",
        32809 => "a TIFF with ThunderScan compression",
        34676 | 34677 => "a TIFF with SGILog compression",
        34712 | 33003 | 33005 => "a TIFF with JPEG 2000 compression",
        34887 => "a TIFF with LERC compression",
        34925 => "a TIFF with LZMA compression",
        50002 => "a TIFF with JPEG XL compression",
        _ => "a TIFF with an unknown compression",
    }
}

/// Channels that are colours.
fn colours(directory: &Directory) -> u64 {
    let extra = directory.extra.map_or(0, |(count, _)| count);
    u64::from(directory.samples.unwrap_or(1)).saturating_sub(extra)
}

fn has_extra(directory: &Directory) -> bool {
    directory.extra.is_some_and(|(count, _)| count > 0)
}

fn grey(directory: &Directory, bits: u32) -> Option<&'static str> {
    match bits {
        _ if directory.samples.unwrap_or(1) > 1 => {
            Some("a TIFF in greys with a channel for their opacity")
        }
        1 | 8 | 16 => None,
        2 | 4 => Some("a TIFF with greys of 2 or 4 bits"),
        32 | 64 => Some("a TIFF with greys of 32 or 64 bits"),
        _ => Some("a TIFF with an unusual number of bits a channel"),
    }
}

fn rgb(directory: &Directory, bits: u32) -> Option<&'static str> {
    match (colours(directory), bits) {
        (3 | 4, 8 | 16) => None,
        (3 | 4, _) => Some("an RGB TIFF with neither 8 nor 16 bits a channel"),
        _ => Some("a TIFF with an unusual number of channels"),
    }
}

fn palette(directory: &Directory, bits: u32) -> Option<&'static str> {
    match (directory.samples.unwrap_or(1), bits) {
        (1, 1 | 2 | 4 | 8) => None,
        (1, _) => Some("a TIFF with a palette of more than 256 colours"),
        _ => Some("a TIFF with a palette and a channel for its opacity"),
    }
}

fn cmyk(directory: &Directory, bits: u32) -> Option<&'static str> {
    match bits {
        _ if has_extra(directory) || colours(directory) != 4 => {
            Some("a CMYK TIFF with additional channels")
        }
        _ if directory.is_planar => Some("a CMYK TIFF with a plane for each channel"),
        8 | 16 => None,
        _ => Some("a CMYK TIFF with neither 8 nor 16 bits a channel"),
    }
}

fn ycbcr(directory: &Directory, bits: u32, compression: u32) -> Option<&'static str> {
    // JPEG's own decoder makes them whole again.
    let is_whole = compression == JPEG || directory.subsampling == Some([1, 1]);
    let is_plain = bits == 8 && colours(directory) == 3 && !has_extra(directory);
    let is_read = is_whole && is_plain && !directory.is_planar;
    (!is_read).then_some("a TIFF in YCbCr colours without JPEG compression")
}
