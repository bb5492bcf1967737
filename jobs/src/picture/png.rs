//! PNG: chunks up to the end of the pixels.

use std::io::{BufRead, Cursor, Seek};

use super::{
    format::{Alpha, Format, Header},
    scan::{Endian, Scan, Stop},
    unfit::Unfit,
};

pub(super) const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Types of pixels with a channel for their opacity.
const GREY_ALPHA: u8 = 4;
const RGB_ALPHA: u8 = 6;
/// The last chunk: of no bytes, with its checksum.
const END: &[u8] = b"\0\0\0\0IEND\xAE\x42\x60\x82";
/// The checksum behind a chunk's data.
const CHECKSUM_BYTES: u64 = 4;

pub(super) fn header(file: &mut Scan<impl BufRead + Seek>) -> Result<Header, Stop> {
    Ok(chunks(file)?.header)
}

/// The PNG with its last chunk, if it has none: decoders here want it, others do without. `None`: it is there.
pub fn with_end(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut file = Scan::new(Cursor::new(bytes)).ok()?;
    let chunks = chunks(&mut file).ok()?;
    if chunks.has_end {
        return None;
    }
    let whole = bytes.get(..usize::try_from(chunks.end).ok()?)?;
    Some([whole, END].concat())
}

/// What the chunks tell.
struct Chunks {
    header: Header,
    /// Where the last complete one ends.
    end: u64,
    /// Whether that is the last one of a PNG.
    has_end: bool,
}

fn chunks(file: &mut Scan<impl BufRead + Seek>) -> Result<Chunks, Stop> {
    file.go_to(SIGNATURE.len() as u64)?;
    let mut header = None;
    let (mut has_pixels, mut has_end) = (false, false);
    let mut end = file.at();
    // The last chunk may be missing or cut off; pixels that end early are truncated.
    while !file.at_end() && !has_end {
        let (len, name) = match (file.u32(Endian::Big), file.bytes::<4>()) {
            (Ok(len), Ok(name)) => (u64::from(len), name),
            _ if has_pixels => break,
            _ => return Err(Unfit::Truncated.into()),
        };
        let mut read = 0;
        match &name {
            b"CgBI" => {
                let variant = "a PNG of Apple's own kind (CgBI), made for an app";
                return Err(Unfit::Variant { variant }.into());
            }
            b"IHDR" => {
                let (width, height) = (file.u32(Endian::Big)?, file.u32(Endian::Big)?);
                let [_, colour] = file.bytes()?;
                read = 10;
                let mut found = Header::new(Format::Png, (width, height));
                if [GREY_ALPHA, RGB_ALPHA].contains(&colour) {
                    found.alpha = Alpha::Straight;
                }
                header = Some(found);
            }
            b"IEND" => has_end = true,
            b"IDAT" => has_pixels = true,
            b"tRNS" => note(&mut header, |header| header.alpha = Alpha::Straight),
            b"acTL" => note(&mut header, |header| header.has_more = true),
            _ => {}
        }
        match file.skip(len.saturating_sub(read) + CHECKSUM_BYTES) {
            Ok(()) => end = file.at(),
            // What follows the pixels may be cut off, or garbage.
            Err(_) if has_pixels && &name != b"IDAT" => {
                has_end = false;
                break;
            }
            Err(stop) => return Err(stop),
        }
    }
    let header = header.filter(|_| has_pixels).ok_or(Unfit::Truncated)?;
    Ok(Chunks {
        header,
        end,
        has_end,
    })
}

fn note(header: &mut Option<Header>, change: impl FnOnce(&mut Header)) {
    if let Some(header) = header {
        change(header);
    }
}
