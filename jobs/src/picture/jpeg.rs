//! JPEG: segments up to the end of the picture. What follows it (the video of a moving photo, a gain map, a trailer of
//! the camera, zeros) is none of it.

use std::io::{BufRead, Seek};

use super::{
    format::{Format, Header},
    scan::{Endian, Scan, Stop},
    unfit::Unfit,
};

const END_OF_IMAGE: u8 = 0xD9;
const START_OF_SCAN: u8 = 0xDA;

/// Walks over the segments. Thumbnails lie inside of one, and are passed over with it.
pub(super) fn header(file: &mut Scan<impl BufRead + Seek>) -> Result<Header, Stop> {
    file.go_to(2)?;
    let mut size = None;
    loop {
        match next_marker(file)? {
            END_OF_IMAGE => break,
            // Markers that stand alone: restarts, a second start of the image, and the filler TEM.
            0x01 | 0xD0..=0xD8 => {}
            START_OF_SCAN => skip_segment(file)?,
            marker if is_frame(marker) => size = Some(frame(file, marker)?),
            _ => skip_segment(file)?,
        }
    }
    // Tables without a picture, as in an abbreviated stream.
    let size = size.ok_or(Unfit::Truncated)?;
    Ok(Header::new(Format::Jpeg, size))
}

/// Goes behind the next marker. In a scan 0xFF is followed by zero where it belongs to the pixels; whatever else stands
/// between two segments is passed over, as decoders do.
fn next_marker(file: &mut Scan<impl BufRead + Seek>) -> Result<u8, Stop> {
    loop {
        file.behind_next(0xFF)?;
        let mut marker = file.byte()?;
        while marker == 0xFF {
            marker = file.byte()?;
        }
        if marker != 0 {
            return Ok(marker);
        }
    }
}

fn skip_segment(file: &mut Scan<impl BufRead + Seek>) -> Result<(), Stop> {
    let len = file.u16(Endian::Big)?;
    file.skip(u64::from(len.saturating_sub(2)))
}

fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC)
}

/// The size in a frame header of a kind that is read.
fn frame(file: &mut Scan<impl BufRead + Seek>, marker: u8) -> Result<(u32, u32), Stop> {
    let len = file.u16(Endian::Big)?;
    let precision = file.byte()?;
    let height = file.u16(Endian::Big)?;
    let width = file.u16(Endian::Big)?;
    let variant = match marker {
        0xC0..=0xC2 if precision == 8 => {
            file.skip(u64::from(len.saturating_sub(7)))?;
            return Ok((width.into(), height.into()));
        }
        0xC0..=0xC2 => "a JPEG with 12 bits a channel",
        0xC9..=0xCB | 0xCD..=0xCF => "a JPEG with arithmetic coding",
        0xC3 => "a lossless JPEG",
        _ => "a hierarchical JPEG",
    };
    Err(Unfit::Variant { variant }.into())
}
