//! QOI, and the Netpbm formats.

use std::io::{BufRead, Seek};

use super::{
    format::{Alpha, Format, Header},
    scan::{Endian, Scan, Stop},
    unfit::{MAX_PIXELS, Unfit},
};

pub(super) fn qoi(file: &mut Scan<impl BufRead + Seek>) -> Result<Header, Stop> {
    file.go_to(4)?;
    let (width, height) = (file.u32(Endian::Big)?, file.u32(Endian::Big)?);
    let mut header = Header::new(Format::Qoi, (width, height));
    if file.byte()? == 4 {
        header.alpha = Alpha::Straight;
    }
    file.skip(1)?;
    let mut left = u64::from(width) * u64::from(height);
    if left > MAX_PIXELS {
        return Ok(header);
    }
    while left > 0 {
        let (bytes, pixels) = match file.byte()? {
            0xFF => (4, 1),
            0xFE => (3, 1),
            run @ 0xC0.. => (0, u64::from(run & 0x3F) + 1),
            0x80.. => (1, 1),
            _ => (0, 1),
        };
        file.skip(bytes)?;
        left = left.saturating_sub(pixels);
    }
    Ok(header)
}

/// P1 to P7.
pub(super) fn pnm(file: &mut Scan<impl BufRead + Seek>) -> Result<Header, Stop> {
    file.go_to(1)?;
    let kind = file.byte()?;
    let layout = match kind {
        b'7' => any_map(file)?,
        _ => simple_map(file, kind)?,
    };
    let Layout { width, height, .. } = layout;
    let pixels = u64::from(width) * u64::from(height);
    let values = pixels.saturating_mul(layout.channels);
    let bytes = match kind {
        // Their digits need no spaces between them.
        b'1' => values,
        b'2' | b'3' => values.saturating_mul(2).saturating_sub(1),
        b'4' => u64::from(width.div_ceil(8)) * u64::from(height),
        _ if layout.highest > 255 => values.saturating_mul(2),
        _ => values,
    };
    let mut header = Header::new(Format::Pnm, (width, height));
    if kind == b'7' {
        header.alpha = Alpha::Straight;
    }
    if pixels <= MAX_PIXELS {
        file.skip(bytes)?;
    }
    Ok(header)
}

/// What precedes the pixels.
struct Layout {
    width: u32,
    height: u32,
    channels: u64,
    highest: u32,
}

fn simple_map(file: &mut Scan<impl BufRead + Seek>, kind: u8) -> Result<Layout, Stop> {
    Ok(Layout {
        width: number(file)?,
        height: number(file)?,
        channels: if matches!(kind, b'3' | b'6') { 3 } else { 1 },
        highest: match kind {
            b'1' | b'4' => 1,
            _ => number(file)?,
        },
    })
}

/// The header of a PAM: lines of a word and a value.
fn any_map(file: &mut Scan<impl BufRead + Seek>) -> Result<Layout, Stop> {
    let mut layout = Layout {
        width: 0,
        height: 0,
        channels: 1,
        highest: 255,
    };
    loop {
        match &word(file)?[..] {
            b"WIDTH" => layout.width = number(file)?,
            b"HEIGHT" => layout.height = number(file)?,
            b"DEPTH" => layout.channels = number(file)?.into(),
            b"MAXVAL" => layout.highest = number(file)?,
            b"ENDHDR" => return Ok(layout),
            _ => {}
        }
    }
}

fn number(file: &mut Scan<impl BufRead + Seek>) -> Result<u32, Stop> {
    let word = word(file)?;
    let number = str::from_utf8(&word)
        .ok()
        .and_then(|word| word.parse().ok());
    let what = "a number is missing in its header";
    number.ok_or_else(|| Unfit::Damaged { what }.into())
}

/// The next word and one byte behind it; comments go to the ends of their lines.
fn word(file: &mut Scan<impl BufRead + Seek>) -> Result<Vec<u8>, Stop> {
    /// Longer than any that means something.
    const MAX_BYTES: usize = 32;
    let mut word = Vec::new();
    loop {
        match file.byte()? {
            b'#' => file.behind_next(b'\n')?,
            space if space.is_ascii_whitespace() => {}
            byte => {
                word.push(byte);
                break;
            }
        }
    }
    loop {
        let byte = file.byte()?;
        if byte.is_ascii_whitespace() {
            return Ok(word);
        }
        if word.len() < MAX_BYTES {
            word.push(byte);
        }
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
