//! BMP: the header, and whether all rows are there.

use std::io::{BufRead, Seek};

use super::{
    format::{Alpha, Format, Header},
    scan::{Endian::Little, Scan, Stop},
};

/// Lengths of the kinds of headers behind the file's own.
const HEADER_BYTES: [u32; 8] = [12, 16, 40, 52, 56, 64, 108, 124];
const UNCOMPRESSED: u32 = 0;
const WITH_MASKS: u32 = 3;

/// Whether these are the first bytes of a bitmap, and not a text that begins with `BM`: four reserved bytes should be
/// zero; where they are not, the header behind them tells.
pub(super) fn is_bmp(head: &[u8]) -> bool {
    let header_bytes = head.get(14..18).and_then(|bytes| bytes.try_into().ok());
    let has_header =
        header_bytes.is_some_and(|bytes| HEADER_BYTES.contains(&u32::from_le_bytes(bytes)));
    head.starts_with(b"BM") && (head.get(6..10) == Some(&[0; 4]) || has_header)
}

pub(super) fn header(file: &mut Scan<impl BufRead + Seek>) -> Result<Header, Stop> {
    file.go_to(10)?;
    let pixels_at = u64::from(file.u32(Little)?);
    let header_bytes = file.u32(Little)?;
    if header_bytes == 12 {
        let (width, height) = (file.u16(Little)?, file.u16(Little)?);
        return Ok(Header::new(Format::Bmp, (width.into(), height.into())));
    }
    let width = file.u32(Little)? & i32::MAX as u32;
    // Negative for rows from top to bottom.
    let height = (file.u32(Little)? as i32).unsigned_abs();
    file.skip(2)?;
    let bits = u64::from(file.u16(Little)?);
    let compression = file.u32(Little)?;
    if [UNCOMPRESSED, WITH_MASKS].contains(&compression) {
        let row_bytes = (u64::from(width) * bits).div_ceil(32) * 4;
        file.check(pixels_at.saturating_add(row_bytes.saturating_mul(height.into())))?;
    }
    let mut header = Header::new(Format::Bmp, (width, height));
    if bits == 32 && compression == WITH_MASKS && header_bytes >= 56 {
        file.go_to(14 + 52)?;
        if file.u32(Little)? != 0 {
            header.alpha = Alpha::Straight;
        }
    }
    Ok(header)
}
