//! BMP: the header, and whether all rows are there.

use std::io::{BufRead, Seek};

use super::{
    format::{Alpha, Format, Header},
    scan::{Endian::Little, Scan, Stop},
};

const UNCOMPRESSED: u32 = 0;
const WITH_MASKS: u32 = 3;

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
