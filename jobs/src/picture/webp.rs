//! WebP: its size in the container, and the flags of the extended form.

use std::io::{BufRead, Seek};

use super::{
    format::{Alpha, Format, Header},
    scan::{Endian, Scan, Stop},
    unfit::Unfit,
};

const ALPHA: u8 = 0x10;
const ANIMATION: u8 = 0x02;

pub(super) fn header(file: &mut Scan<impl BufRead + Seek>) -> Result<Header, Stop> {
    file.go_to(4)?;
    let len = file.u32(Endian::Little)?;
    // The last chunk's byte of padding is often left out.
    file.check(u64::from(len & !1) + 8)?;
    file.go_to(12)?;
    let name = file.bytes::<4>()?;
    file.skip(4)?;
    match &name {
        b"VP8X" => extended(file),
        b"VP8L" => lossless(file),
        b"VP8 " => lossy(file),
        _ => Err(Unfit::Variant {
            variant: "a WebP of an unknown kind",
        }
        .into()),
    }
}

fn extended(file: &mut Scan<impl BufRead + Seek>) -> Result<Header, Stop> {
    let [flags, _, _, _] = file.bytes()?;
    let [a, b, c, d, e, f] = file.bytes()?.map(u32::from);
    let size = ((a | b << 8 | c << 16) + 1, (d | e << 8 | f << 16) + 1);
    let mut header = Header::new(Format::WebP, size);
    header.has_more = flags & ANIMATION != 0;
    if flags & ALPHA != 0 {
        header.alpha = Alpha::Straight;
    }
    Ok(header)
}

fn lossless(file: &mut Scan<impl BufRead + Seek>) -> Result<Header, Stop> {
    file.skip(1)?;
    let bits = file.u32(Endian::Little)?;
    let size = ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1);
    let mut header = Header::new(Format::WebP, size);
    if bits >> 28 & 1 == 1 {
        header.alpha = Alpha::Straight;
    }
    Ok(header)
}

fn lossy(file: &mut Scan<impl BufRead + Seek>) -> Result<Header, Stop> {
    file.skip(6)?;
    let (width, height) = (file.u16(Endian::Little)?, file.u16(Endian::Little)?);
    let size = (u32::from(width & 0x3FFF), u32::from(height & 0x3FFF));
    Ok(Header::new(Format::WebP, size))
}
