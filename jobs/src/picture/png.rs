//! PNG: chunks up to the end of the pixels.

use std::io::{BufRead, Seek};

use super::{
    format::{Alpha, Format, Header},
    scan::{Endian, Scan, Stop},
    unfit::Unfit,
};

pub(super) const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Types of pixels with a channel for their opacity.
const GREY_ALPHA: u8 = 4;
const RGB_ALPHA: u8 = 6;
/// Length and name before a chunk's data, and the checksum behind it.
const CHECKSUM_BYTES: u64 = 4;

pub(super) fn header(file: &mut Scan<impl BufRead + Seek>) -> Result<Header, Stop> {
    file.go_to(SIGNATURE.len() as u64)?;
    let mut header = None;
    let mut has_pixels = false;
    // Decoders do without the last chunk; pixels that end early are truncated.
    while !file.at_end() {
        let (len, name) = match (file.u32(Endian::Big), file.bytes::<4>()) {
            (Ok(len), Ok(name)) => (u64::from(len), name),
            _ if has_pixels => break,
            _ => return Err(Unfit::Truncated.into()),
        };
        match &name {
            b"CgBI" => {
                let variant = "a PNG of Apple's own kind (CgBI), made for an app";
                return Err(Unfit::Variant { variant }.into());
            }
            b"IHDR" => {
                let (width, height) = (file.u32(Endian::Big)?, file.u32(Endian::Big)?);
                let [_, colour] = file.bytes()?;
                let mut found = Header::new(Format::Png, (width, height));
                if [GREY_ALPHA, RGB_ALPHA].contains(&colour) {
                    found.alpha = Alpha::Straight;
                }
                header = Some(found);
                file.skip(len.saturating_sub(10) + CHECKSUM_BYTES)?;
                continue;
            }
            b"IEND" => break,
            b"IDAT" => has_pixels = true,
            b"tRNS" => note(&mut header, |header| header.alpha = Alpha::Straight),
            b"acTL" => note(&mut header, |header| header.has_more = true),
            _ if has_pixels => {
                // What follows the pixels may be cut off, or garbage.
                if file.skip(len + CHECKSUM_BYTES).is_err() {
                    break;
                }
                continue;
            }
            _ => {}
        }
        file.skip(len + CHECKSUM_BYTES)?;
    }
    match header {
        Some(header) if has_pixels => Ok(header),
        _ => Err(Unfit::Truncated.into()),
    }
}

fn note(header: &mut Option<Header>, change: impl FnOnce(&mut Header)) {
    if let Some(header) = header {
        change(header);
    }
}
