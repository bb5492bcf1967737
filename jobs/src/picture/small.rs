//! QOI, and the Netpbm formats.

use std::io::{BufRead, Seek};

use super::{
    format::{Alpha, Format, Header},
    scan::{Endian, Scan, Stop},
};

pub(super) fn qoi(file: &mut Scan<impl BufRead + Seek>) -> Result<Header, Stop> {
    file.go_to(4)?;
    let (width, height) = (file.u32(Endian::Big)?, file.u32(Endian::Big)?);
    let mut header = Header::new(Format::Qoi, (width, height));
    if file.byte()? == 4 {
        header.alpha = Alpha::Straight;
    }
    Ok(header)
}

/// P1 to P7. The size is left to the decoder: it stands between comments.
pub(super) fn pnm(head: &[u8]) -> Header {
    let alpha = match head.get(1) {
        Some(b'7') => Alpha::Straight,
        _ => Alpha::None,
    };
    Header {
        format: Format::Pnm,
        size: None,
        alpha,
        has_more: false,
    }
}

/// Whether these are the first bytes of a Netpbm picture, and not a text that begins with `P`.
pub(super) fn is_pnm(head: &[u8]) -> bool {
    match head {
        [b'P', b'7', b'\n', ..] => true,
        [b'P', b'1'..=b'6', space, next, ..] => {
            space.is_ascii_whitespace()
                && (next.is_ascii_digit() || next.is_ascii_whitespace() || *next == b'#')
        }
        _ => false,
    }
}
