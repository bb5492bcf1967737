//! TIFF: its first directory. Most cameras' raw files are TIFF as well, with a small preview as the first picture.

use std::io::{BufRead, Seek};

use super::{
    foreign::{DNG, RAW},
    format::{Alpha, Format, Header},
    scan::{Endian, Scan, Stop},
    unfit::Unfit,
};

/// More pieces than a picture of the largest size has rows.
const MAX_PIECES: u32 = 1 << 20;

/// An entry of a directory: how many values, and their first four bytes or where they are.
#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    kind: u16,
    count: u32,
    at: u64,
}

/// The entries that tell something.
#[derive(Debug, Default)]
struct Directory {
    width: u32,
    height: u32,
    subfile: u32,
    subdirectories: Option<Entry>,
    is_dng: bool,
    photometric: u32,
    format: u32,
    extra: Option<u32>,
    offsets: Option<Entry>,
    lengths: Option<Entry>,
    has_next: bool,
}

const COLOUR_FILTER_ARRAY: u32 = 32803;
const LINEAR_RAW: u32 = 34892;
const UNSIGNED: u32 = 1;
/// A smaller version of another picture in the file.
const PREVIEW: u32 = 1;

pub(super) fn header(file: &mut Scan<impl BufRead + Seek>) -> Result<Header, Stop> {
    file.go_to(0)?;
    let endian = match file.byte()? {
        b'I' => Endian::Little,
        _ => Endian::Big,
    };
    file.go_to(2)?;
    if file.u16(endian)? == 43 {
        // BigTIFF is left to the decoder.
        return Ok(Header {
            size: None,
            ..Header::new(Format::Tiff, (0, 0))
        });
    }
    let directory = directory(file, endian)?;
    if directory.is_dng {
        return Err(Unfit::Foreign(&DNG).into());
    }
    let is_sensor = [COLOUR_FILTER_ARRAY, LINEAR_RAW].contains(&directory.photometric);
    if is_sensor || directory.subfile & PREVIEW != 0 && directory.subdirectories.is_some() {
        return Err(Unfit::Foreign(&RAW).into());
    }
    if directory.format == 3 {
        let variant = "a TIFF with floating-point channels";
        return Err(Unfit::Variant { variant }.into());
    }
    if directory.format == 2 {
        let variant = "a TIFF with signed channels";
        return Err(Unfit::Variant { variant }.into());
    }
    check_pieces(file, endian, &directory)?;
    Ok(Header {
        alpha: match directory.extra {
            Some(1) => Alpha::Premultiplied,
            Some(2) => Alpha::Straight,
            _ => Alpha::None,
        },
        has_more: directory.has_next,
        ..Header::new(Format::Tiff, (directory.width, directory.height))
    })
}

fn directory(file: &mut Scan<impl BufRead + Seek>, endian: Endian) -> Result<Directory, Stop> {
    let at = file.u32(endian)?;
    file.go_to(at.into())?;
    let entries = u64::from(file.u16(endian)?);
    let mut found = Directory {
        format: UNSIGNED,
        ..Directory::default()
    };
    for number in 0..entries {
        let at = u64::from(at) + 2 + number * 12;
        file.go_to(at)?;
        let (tag, kind, count) = (file.u16(endian)?, file.u16(endian)?, file.u32(endian)?);
        let entry = Entry {
            kind,
            count,
            at: at + 8,
        };
        let mut value = || first_value(file, endian, entry);
        match tag {
            254 => found.subfile = value()?,
            256 => found.width = value()?,
            257 => found.height = value()?,
            262 => found.photometric = value()?,
            273 | 324 => found.offsets = Some(entry),
            279 | 325 => found.lengths = Some(entry),
            330 => found.subdirectories = Some(entry),
            338 => found.extra = Some(value()?),
            339 => found.format = value()?,
            50706 => found.is_dng = true,
            _ => {}
        }
    }
    file.go_to(u64::from(at) + 2 + entries * 12)?;
    // Some writers leave out the end of the list of directories.
    found.has_next = file.u32(endian).unwrap_or(0) != 0;
    Ok(found)
}

fn bytes_of(kind: u16) -> u64 {
    match kind {
        1 | 2 | 6 | 7 => 1,
        3 | 8 => 2,
        _ => 4,
    }
}

fn number(file: &mut Scan<impl BufRead + Seek>, endian: Endian, kind: u16) -> Result<u32, Stop> {
    Ok(match bytes_of(kind) {
        1 => file.byte()?.into(),
        2 => file.u16(endian)?.into(),
        _ => file.u32(endian)?,
    })
}

fn first_value(
    file: &mut Scan<impl BufRead + Seek>,
    endian: Endian,
    entry: Entry,
) -> Result<u32, Stop> {
    go_to_values(file, endian, entry)?;
    number(file, endian, entry.kind)
}

/// Values lie in the entry itself where they have room.
fn go_to_values(
    file: &mut Scan<impl BufRead + Seek>,
    endian: Endian,
    entry: Entry,
) -> Result<(), Stop> {
    file.go_to(entry.at)?;
    if u64::from(entry.count) * bytes_of(entry.kind) > 4 {
        let at = file.u32(endian)?;
        file.go_to(at.into())?;
    }
    Ok(())
}

fn values(
    file: &mut Scan<impl BufRead + Seek>,
    endian: Endian,
    entry: Entry,
) -> Result<Vec<u64>, Stop> {
    go_to_values(file, endian, entry)?;
    let count = entry.count.min(MAX_PIECES);
    let values = (0..count).map(|_| Ok(number(file, endian, entry.kind)?.into()));
    values.collect()
}

/// Whether all strips or tiles lie in the file.
fn check_pieces(
    file: &mut Scan<impl BufRead + Seek>,
    endian: Endian,
    directory: &Directory,
) -> Result<(), Stop> {
    let (Some(offsets), Some(lengths)) = (directory.offsets, directory.lengths) else {
        return Ok(());
    };
    let offsets = values(file, endian, offsets)?;
    let lengths = values(file, endian, lengths)?;
    for (offset, len) in offsets.into_iter().zip(lengths) {
        file.check(offset + len)?;
    }
    Ok(())
}
