//! TIFF and `BigTIFF`: the first directory. Most cameras' raw files are TIFF as well, with a small preview as the first
//! picture.

use std::io::{BufRead, Cursor, Seek};

use super::{
    foreign::{DNG, RAW},
    format::{Alpha, Format, Header},
    scan::{Endian, Scan, Stop},
    tiff_variant::variant,
    unfit::Unfit,
};

/// More pieces than a picture of the largest size has rows.
const MAX_PIECES: u64 = 1 << 20;
/// A smaller version of another picture in the file.
const PREVIEW: u32 = 1;
const COLOUR_FILTER_ARRAY: u32 = 32803;
const LINEAR_RAW: u32 = 34892;
pub(super) const BLACK_IS_ZERO: u32 = 1;
pub(super) const PALETTE: u32 = 3;

/// How numbers are written: `BigTIFF` has longer places and counts.
#[derive(Debug, Clone, Copy)]
struct Layout {
    endian: Endian,
    is_big: bool,
}

/// An entry of a directory: how many values, and their first bytes or where they are.
#[derive(Debug, Clone, Copy)]
struct Entry {
    kind: u16,
    count: u64,
    at: u64,
}

/// The entries that tell something.
#[derive(Debug, Default)]
pub(super) struct Directory {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Bits a channel, of the first one and whether all have as many.
    pub(super) bits: Option<(u32, bool)>,
    pub(super) compression: Option<u32>,
    pub(super) photometric: Option<u32>,
    pub(super) samples: Option<u32>,
    pub(super) predictor: Option<u32>,
    /// Of the colours of YCbCr, across and down.
    pub(super) subsampling: Option<[u32; 2]>,
    pub(super) is_planar: bool,
    /// How many channels are no colours, and what the first of them is.
    pub(super) extra: Option<(u64, u32)>,
    pub(super) format: Option<u32>,
    subfile: u32,
    subdirectories: Option<Entry>,
    is_dng: bool,
    photometric_at: u64,
    offsets: Option<Entry>,
    lengths: Option<Entry>,
    has_next: bool,
}

pub(super) fn header(file: &mut Scan<impl BufRead + Seek>) -> Result<Header, Stop> {
    let layout = layout(file)?;
    let directory = directory(file, layout)?;
    if directory.is_dng {
        return Err(Unfit::Foreign(&DNG).into());
    }
    let photometric = directory.photometric.unwrap_or(BLACK_IS_ZERO);
    let is_sensor = [COLOUR_FILTER_ARRAY, LINEAR_RAW].contains(&photometric);
    if is_sensor || directory.subfile & PREVIEW != 0 && directory.subdirectories.is_some() {
        return Err(Unfit::Foreign(&RAW).into());
    }
    if let Some(variant) = variant(&directory) {
        return Err(Unfit::Variant { variant }.into());
    }
    if directory.width == 0 || directory.height == 0 || directory.offsets.is_none() {
        let what = "its first directory has no picture";
        return Err(Unfit::Damaged { what }.into());
    }
    check_pieces(file, layout, &directory)?;
    Ok(Header {
        alpha: match directory.extra {
            Some((_, 1)) => Alpha::Premultiplied,
            Some((_, 2)) => Alpha::Straight,
            _ => Alpha::None,
        },
        has_more: directory.has_next,
        ..Header::new(Format::Tiff, (directory.width, directory.height))
    })
}

/// A TIFF with a palette as one whose pixels are greys: their indices, for decoders that know no palettes. `None`: it
/// has none.
pub fn palette_as_greys(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut file = Scan::new(Cursor::new(bytes)).ok()?;
    let layout = layout(&mut file).ok()?;
    let directory = directory(&mut file, layout).ok()?;
    if directory.photometric != Some(PALETTE) {
        return None;
    }
    let grey = BLACK_IS_ZERO as u16;
    let grey = match layout.endian {
        Endian::Little => grey.to_le_bytes(),
        Endian::Big => grey.to_be_bytes(),
    };
    let at = directory.photometric_at as usize;
    let mut changed = bytes.to_vec();
    changed.get_mut(at..at + 2)?.copy_from_slice(&grey);
    Some(changed)
}

fn layout(file: &mut Scan<impl BufRead + Seek>) -> Result<Layout, Stop> {
    file.go_to(0)?;
    let endian = match file.byte()? {
        b'I' => Endian::Little,
        _ => Endian::Big,
    };
    file.go_to(2)?;
    let is_big = file.u16(endian)? == 43;
    if is_big {
        // How long places are, which is always eight bytes.
        file.skip(4)?;
    }
    Ok(Layout { endian, is_big })
}

/// Reads the first directory; the file is where its place is written.
fn directory(file: &mut Scan<impl BufRead + Seek>, layout: Layout) -> Result<Directory, Stop> {
    let Layout { endian, is_big } = layout;
    let at = place(file, layout)?;
    file.go_to(at)?;
    let (entries, start, entry_bytes) = if is_big {
        (file.u64(endian)?, at.saturating_add(8), 20)
    } else {
        (u64::from(file.u16(endian)?), at + 2, 12)
    };
    let end = start.saturating_add(entries.saturating_mul(entry_bytes));
    file.check(end)?;
    let mut found = Directory::default();
    for number in 0..entries {
        let at = start + number * entry_bytes;
        file.go_to(at)?;
        let (tag, kind, count) = (file.u16(endian)?, file.u16(endian)?, place(file, layout)?);
        let at = at + if is_big { 12 } else { 8 };
        found.note(file, layout, tag, Entry { kind, count, at })?;
    }
    file.go_to(end)?;
    // Some writers leave out the end of the list of directories.
    found.has_next = place(file, layout).unwrap_or(0) != 0;
    Ok(found)
}

impl Directory {
    fn note(
        &mut self,
        file: &mut Scan<impl BufRead + Seek>,
        layout: Layout,
        tag: u16,
        entry: Entry,
    ) -> Result<(), Stop> {
        let mut first = || -> Result<u32, Stop> {
            go_to_values(file, layout, entry)?;
            Ok(number(file, layout, entry.kind)?
                .try_into()
                .unwrap_or(u32::MAX))
        };
        match tag {
            254 => self.subfile = first()?,
            256 => self.width = first()?,
            257 => self.height = first()?,
            258 => {
                let bits = values(file, layout, entry)?;
                let [bits, rest @ ..] = &bits[..] else {
                    return Ok(());
                };
                let are_equal = rest.iter().all(|other| other == bits);
                self.bits = Some((u32::try_from(*bits).unwrap_or(u32::MAX), are_equal));
            }
            259 => self.compression = Some(first()?),
            262 => {
                self.photometric = Some(first()?);
                self.photometric_at = entry.at;
            }
            273 | 324 => self.offsets = Some(entry),
            277 => self.samples = Some(first()?),
            279 | 325 => self.lengths = Some(entry),
            284 => self.is_planar = first()? == 2,
            317 => self.predictor = Some(first()?),
            330 => self.subdirectories = Some(entry),
            338 => self.extra = Some((entry.count, first()?)),
            339 => self.format = Some(first()?),
            530 => {
                if let [across, down] = values(file, layout, entry)?[..] {
                    self.subsampling = Some([across as u32, down as u32]);
                }
            }
            50706 => self.is_dng = true,
            _ => {}
        }
        Ok(())
    }
}

/// A place in the file, or a count.
fn place(file: &mut Scan<impl BufRead + Seek>, layout: Layout) -> Result<u64, Stop> {
    if layout.is_big {
        file.u64(layout.endian)
    } else {
        Ok(file.u32(layout.endian)?.into())
    }
}

fn bytes_of(kind: u16) -> u64 {
    match kind {
        1 | 2 | 6 | 7 => 1,
        3 | 8 => 2,
        5 | 10 | 12 | 16..=18 => 8,
        _ => 4,
    }
}

fn number(file: &mut Scan<impl BufRead + Seek>, layout: Layout, kind: u16) -> Result<u64, Stop> {
    Ok(match bytes_of(kind) {
        1 => file.byte()?.into(),
        2 => file.u16(layout.endian)?.into(),
        8 => file.u64(layout.endian)?,
        _ => file.u32(layout.endian)?.into(),
    })
}

/// Values lie in the entry itself where they have room.
fn go_to_values(
    file: &mut Scan<impl BufRead + Seek>,
    layout: Layout,
    entry: Entry,
) -> Result<(), Stop> {
    file.go_to(entry.at)?;
    let room = if layout.is_big { 8 } else { 4 };
    if entry.count.saturating_mul(bytes_of(entry.kind)) > room {
        let at = place(file, layout)?;
        file.go_to(at)?;
    }
    Ok(())
}

fn values(
    file: &mut Scan<impl BufRead + Seek>,
    layout: Layout,
    entry: Entry,
) -> Result<Vec<u64>, Stop> {
    go_to_values(file, layout, entry)?;
    let count = entry.count.min(MAX_PIECES);
    let values = (0..count).map(|_| number(file, layout, entry.kind));
    values.collect()
}

/// Whether all strips or tiles lie in the file.
fn check_pieces(
    file: &mut Scan<impl BufRead + Seek>,
    layout: Layout,
    directory: &Directory,
) -> Result<(), Stop> {
    let (Some(offsets), Some(lengths)) = (directory.offsets, directory.lengths) else {
        return Ok(());
    };
    let offsets = values(file, layout, offsets)?;
    let lengths = values(file, layout, lengths)?;
    for (offset, len) in offsets.into_iter().zip(lengths) {
        file.check(offset.saturating_add(len))?;
    }
    Ok(())
}
