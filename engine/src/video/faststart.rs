//! The finishing pass over a muxed file: the header to the front, and into it what players want to know.
//!
//! - the header (`moov`) before the samples (`mdat`), so that a player can start before it has the whole file;
//! - an edit list, since B-frames delay the first picture and a video should start at 0;
//! - `colr`, the same BT.709 tags that the H.264 stream carries;
//! - the fields that ISO/IEC 14496-15 adds to `avcC` for the High profiles;
//! - title, comment, time and encoder.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use super::atom::{Atom, Kind};
use super::metadata::Metadata;
use super::mp4::{Muxed, TICKS_PER_FRAME};

const SAMPLE_TABLE: [&[u8; 4]; 4] = [b"trak", b"mdia", b"minf", b"stbl"];
/// The boxes that tell when something was made: the video, its track, the track's content.
const TIMED: [&[&[u8; 4]]; 3] = [
    &[b"mvhd"],
    &[b"trak", b"tkhd"],
    &[b"trak", b"mdia", b"mdhd"],
];
const SAMPLE_ENTRY: [&[u8; 4]; 6] = [b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"];

/// Writes the finished file to `out`, which is empty.
pub(super) fn write(muxed: &mut Muxed, metadata: &Metadata, out: &File) -> io::Result<()> {
    let [ftyp, mdat, moov] = sections(&mut muxed.file)?;
    let header = read_section(&mut muxed.file, &moov)?;
    let mut atoms = Atom::parse_all(&header).ok_or_else(|| malformed("boxes overlap"))?;
    let [moov_atom] = atoms.as_mut_slice() else {
        return Err(malformed("more than one header"));
    };
    complete(moov_atom, muxed, metadata).ok_or_else(|| malformed("a box is missing"))?;
    move_samples(moov_atom, mdat.end).ok_or_else(|| malformed("no chunk offsets"))?;

    let mut out = BufWriter::new(out);
    out.write_all(&read_section(&mut muxed.file, &ftyp)?)?;
    let mut header = Vec::with_capacity(moov_atom.len());
    moov_atom.write(&mut header);
    out.write_all(&header)?;
    muxed.file.seek(SeekFrom::Start(mdat.start))?;
    io::copy(&mut (&muxed.file).take(mdat.end - mdat.start), &mut out)?;
    out.flush()
}

fn malformed(reason: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the muxed file is malformed: {reason}"),
    )
}

/// A box of the top level, by its place in the file.
struct TopLevelBox {
    start: u64,
    end: u64,
}

/// The three boxes of a muxed file, which lie in this order.
fn sections(file: &mut File) -> io::Result<[TopLevelBox; 3]> {
    let file_bytes = file.seek(SeekFrom::End(0))?;
    let mut reader = BufReader::new(file);
    let mut start = 0;
    let mut section = |kind: [u8; 4]| {
        reader.seek(SeekFrom::Start(start))?;
        let mut head = [0; 16];
        reader.read_exact(&mut head)?;
        let [size, found, large] = [&head[0..4], &head[4..8], &head[8..16]];
        // Size 1 says that the true one follows in 64 bits.
        let bytes = match size {
            [0, 0, 0, 1] => big_endian(large),
            size => big_endian(size),
        };
        let end = start + bytes;
        if *found != kind || bytes < 8 || end > file_bytes {
            return Err(malformed(&format!(
                "no box {:?} at byte {start}",
                Kind(kind)
            )));
        }
        Ok(TopLevelBox {
            start: std::mem::replace(&mut start, end),
            end,
        })
    };
    Ok([section(*b"ftyp")?, section(*b"mdat")?, section(*b"moov")?])
}

fn read_section(file: &mut File, section: &TopLevelBox) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(section.start))?;
    let mut bytes = vec![0; (section.end - section.start) as usize];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Adds everything but the new chunk offsets; `None` if a box that must be there is not.
fn complete(moov: &mut Atom, muxed: &Muxed, metadata: &Metadata) -> Option<()> {
    // The muxer leaves this at 1, which is the number of its only track.
    let next_track = moov.descend(&[b"mvhd"])?.fields.last_chunk_mut()?;
    *next_track = 2_u32.to_be_bytes();

    let created = metadata.created.mp4_secs();
    for path in TIMED {
        set_times(&mut moov.descend(path)?.fields, created)?;
    }

    let trak = moov.descend(&[b"trak"])?;
    let header = trak
        .children
        .iter()
        .position(|atom| atom.kind.0 == *b"tkhd")?;
    trak.children.insert(header + 1, edit_list(muxed));

    let avc1 = moov.descend(&SAMPLE_ENTRY)?;
    extend_avcc(&mut avc1.descend(&[b"avcC"])?.fields)?;
    avc1.children.push(colour_tags());

    moov.children.push(metadata.to_atom());
    Some(())
}

/// ISO/IEC 14496-12, 8.2.2, 8.3.2 and 8.4.2: after version and flags, when it was made, and when it was changed.
fn set_times(fields: &mut [u8], secs: u32) -> Option<()> {
    let (version_and_flags, times) = fields.split_at_mut_checked(4)?;
    if version_and_flags[0] != 0 {
        return None; // the muxer writes 32-bit times
    }
    let (created, changed) = times.split_at_mut_checked(4)?;
    created.copy_from_slice(&secs.to_be_bytes());
    changed
        .first_chunk_mut::<4>()?
        .copy_from_slice(&secs.to_be_bytes());
    Some(())
}

/// One edit: the whole video, from its first picture on.
fn edit_list(muxed: &Muxed) -> Atom {
    let ticks = |frames: u32| (frames * TICKS_PER_FRAME).to_be_bytes();
    let fields = [
        [0; 4],                           // version and flags
        1_u32.to_be_bytes(),              // number of edits
        ticks(muxed.frames),              // duration, in the movie's time scale
        ticks(muxed.delay_frames as u32), // where it starts, in the track's
        0x0001_0000_u32.to_be_bytes(),    // speed, 16.16
    ];
    Atom::parent(*b"edts", vec![Atom::leaf(*b"elst", fields.concat())])
}

/// ISO/IEC 14496-15, 5.3.3.1: profiles from High on tell chroma format and bit depths.
fn extend_avcc(fields: &mut Vec<u8>) -> Option<()> {
    const CHROMA_420: u8 = 0xFC | 1;
    const EIGHT_BITS: u8 = 0xF8;
    const NO_EXTENSIONS: u8 = 0;
    let profile = *fields.get(1)?;
    if matches!(profile, 100 | 110 | 122 | 244) {
        fields.extend([CHROMA_420, EIGHT_BITS, EIGHT_BITS, NO_EXTENSIONS]);
    }
    Some(())
}

/// BT.709 primaries, transfer and matrix, limited range.
fn colour_tags() -> Atom {
    const LIMITED_RANGE: [u8; 1] = [0];
    let bt709 = 1_u16.to_be_bytes();
    let fields = [b"nclx", &bt709[..], &bt709, &bt709, &LIMITED_RANGE];
    Atom::leaf(*b"colr", fields.concat())
}

/// Adds to each chunk offset what the header, now before the samples, takes. 64-bit offsets where 32 are too few.
fn move_samples(moov: &mut Atom, samples_end: u64) -> Option<()> {
    let table = moov.descend(&SAMPLE_TABLE)?;
    let is_offsets = |atom: &Atom| matches!(&atom.kind.0, b"stco" | b"co64");
    let place = table.children.iter().position(is_offsets)?;
    let offsets = read_offsets(&table.children[place])?;

    let largest_header = moov.len() as u64 + 4 * offsets.len() as u64;
    let write = if samples_end + largest_header > u64::from(u32::MAX) {
        offsets_in_64_bits
    } else {
        offsets_in_32_bits
    };
    moov.descend(&SAMPLE_TABLE)?.children[place] = write(&offsets, 0);
    let shift = moov.len() as u64;
    moov.descend(&SAMPLE_TABLE)?.children[place] = write(&offsets, shift);
    Some(())
}

fn read_offsets(atom: &Atom) -> Option<Vec<u64>> {
    let (_version_and_count, entries) = atom.fields.split_at_checked(8)?;
    let entry_bytes = if atom.kind.0 == *b"co64" { 8 } else { 4 };
    Some(entries.chunks_exact(entry_bytes).map(big_endian).collect())
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |n, byte| (n << 8) | u64::from(*byte))
}

fn offsets_in_32_bits(offsets: &[u64], shift: u64) -> Atom {
    let narrow = |offset| u32::try_from(offset).expect("the end of the samples fits in 32 bits");
    let entries = offsets
        .iter()
        .flat_map(|offset| narrow(offset + shift).to_be_bytes());
    offsets_atom(*b"stco", offsets.len(), entries)
}

fn offsets_in_64_bits(offsets: &[u64], shift: u64) -> Atom {
    let entries = offsets
        .iter()
        .flat_map(|offset| (offset + shift).to_be_bytes());
    offsets_atom(*b"co64", offsets.len(), entries)
}

fn offsets_atom(kind: [u8; 4], count: usize, entries: impl Iterator<Item = u8>) -> Atom {
    let mut fields = vec![0; 4]; // version and flags
    fields.extend((count as u32).to_be_bytes());
    fields.extend(entries);
    Atom::leaf(kind, fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(offsets: Atom) -> Atom {
        SAMPLE_TABLE
            .iter()
            .rev()
            .fold(offsets, |child, kind| Atom::parent(**kind, vec![child]))
    }

    fn moved(offsets: &[u64], samples_end: u64) -> (Atom, u64) {
        let mut moov = Atom::parent(*b"moov", vec![header(offsets_in_32_bits(offsets, 0))]);
        move_samples(&mut moov, samples_end).unwrap();
        let shift = moov.len() as u64;
        let table = moov.descend(&SAMPLE_TABLE).unwrap();
        (table.children[0].clone(), shift)
    }

    #[test]
    fn offsets_grow_by_the_header_that_moved_before_them() {
        let (atom, shift) = moved(&[40, 1000], 5000);
        assert_eq!(atom.kind.0, *b"stco");
        assert_eq!(read_offsets(&atom).unwrap(), [40 + shift, 1000 + shift]);
    }

    #[test]
    fn offsets_that_leave_32_bits_get_64() {
        let last = u64::from(u32::MAX) - 10;
        let (atom, shift) = moved(&[40, last], last + 5);
        assert_eq!(atom.kind.0, *b"co64");
        assert_eq!(read_offsets(&atom).unwrap(), [40 + shift, last + shift]);
    }

    #[test]
    fn only_high_profiles_are_extended() {
        for (profile, extra) in [(66, 0), (100, 4), (244, 4)] {
            let mut fields = vec![1, profile, 0, 30];
            extend_avcc(&mut fields).unwrap();
            assert_eq!(fields.len(), 4 + extra);
        }
    }
}
