//! GIF: blocks up to the end of the first frame.

use std::io::{BufRead, Seek};

use super::{
    format::{Alpha, Format, Header},
    scan::{Endian, Scan, Stop},
};

const EXTENSION: u8 = 0x21;
const FRAME: u8 = 0x2C;
const CONTROL: u8 = 0xF9;

pub(super) fn header(file: &mut Scan<impl BufRead + Seek>) -> Result<Header, Stop> {
    file.go_to(6)?;
    let (width, height) = (file.u16(Endian::Little)?, file.u16(Endian::Little)?);
    let mut header = Header::new(Format::Gif, (width.into(), height.into()));
    let [flags, _, _] = file.bytes()?;
    skip_palette(file, flags)?;
    let mut has_frame = false;
    loop {
        let block = match file.byte() {
            Ok(block) => block,
            Err(_) if has_frame => break,
            Err(stop) => return Err(stop),
        };
        match block {
            EXTENSION if !has_frame => extension(file, &mut header)?,
            // What follows the first frame may be cut off.
            EXTENSION if file.skip(1).and_then(|()| skip_blocks(file)).is_err() => break,
            EXTENSION => {}
            FRAME if has_frame => {
                header.has_more = true;
                break;
            }
            FRAME => {
                let [a, b, c, d] = [(); 4].map(|()| file.u16(Endian::Little));
                let (left, top, across, down) = (a?, b?, c?, d?);
                // What the frame does not cover is transparent.
                if (left, top) != (0, 0) || across < width || down < height {
                    header.alpha = Alpha::Straight;
                }
                let flags = file.byte()?;
                skip_palette(file, flags)?;
                file.skip(1)?;
                skip_blocks(file)?;
                has_frame = true;
            }
            _ if has_frame => break,
            _ => {}
        }
    }
    Ok(header)
}

fn extension(file: &mut Scan<impl BufRead + Seek>, header: &mut Header) -> Result<(), Stop> {
    if file.byte()? == CONTROL {
        let [_, flags] = file.bytes()?;
        if flags & 1 == 1 {
            header.alpha = Alpha::Straight;
        }
        file.skip(3)?;
    }
    skip_blocks(file)
}

/// A palette of 2 to 256 colours, if the flags say that there is one.
fn skip_palette(file: &mut Scan<impl BufRead + Seek>, flags: u8) -> Result<(), Stop> {
    if flags & 0x80 == 0 {
        return Ok(());
    }
    file.skip(3 * (2 << (flags & 7)))
}

fn skip_blocks(file: &mut Scan<impl BufRead + Seek>) -> Result<(), Stop> {
    loop {
        match file.byte()? {
            0 => return Ok(()),
            len => file.skip(len.into())?,
        }
    }
}
