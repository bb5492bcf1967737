//! A file as its formats read it: numbers one after another, and jumps that stay inside it.

use std::io::{self, BufRead, Seek, SeekFrom};

use super::unfit::Unfit;

/// Why looking at a file ended early.
#[derive(Debug)]
pub(super) enum Stop {
    /// It is no start image.
    Unfit(Unfit),
    /// It can't be read.
    Io(io::Error),
}

impl From<Unfit> for Stop {
    fn from(unfit: Unfit) -> Self {
        Self::Unfit(unfit)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Unfit(Unfit::Truncated),
            _ => Self::Io(error),
        }
    }
}

/// Order of the bytes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endian {
    Big,
    Little,
}

/// A file and a place in it. To read or to skip past its end is [`Unfit::Truncated`].
#[derive(Debug)]
pub(super) struct Scan<R> {
    file: R,
    at: u64,
    len: u64,
}

impl<R: BufRead + Seek> Scan<R> {
    pub(super) fn new(mut file: R) -> io::Result<Self> {
        let len = file.seek(SeekFrom::End(0))?;
        file.rewind()?;
        Ok(Self { file, at: 0, len })
    }

    /// Bytes before this place.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    pub(super) fn at_end(&self) -> bool {
        self.at >= self.len
    }

    /// At most so many of the next bytes.
    pub(super) fn up_to(&mut self, most: usize) -> Result<Vec<u8>, Stop> {
        let mut bytes = vec![0; most.min((self.len - self.at) as usize)];
        self.file.read_exact(&mut bytes)?;
        self.at += bytes.len() as u64;
        Ok(bytes)
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes)?;
        self.at += N as u64;
        Ok(bytes)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Stop> {
        Ok(self.bytes::<1>()?[0])
    }

    pub(super) fn u16(&mut self, endian: Endian) -> Result<u16, Stop> {
        let bytes = self.bytes()?;
        Ok(match endian {
            Endian::Big => u16::from_be_bytes(bytes),
            Endian::Little => u16::from_le_bytes(bytes),
        })
    }

    pub(super) fn u32(&mut self, endian: Endian) -> Result<u32, Stop> {
        let bytes = self.bytes()?;
        Ok(match endian {
            Endian::Big => u32::from_be_bytes(bytes),
            Endian::Little => u32::from_le_bytes(bytes),
        })
    }

    pub(super) fn u64(&mut self, endian: Endian) -> Result<u64, Stop> {
        let bytes = self.bytes()?;
        Ok(match endian {
            Endian::Big => u64::from_be_bytes(bytes),
            Endian::Little => u64::from_le_bytes(bytes),
        })
    }

    /// Goes on so many bytes further.
    pub(super) fn skip(&mut self, bytes: u64) -> Result<(), Stop> {
        self.check(self.at.saturating_add(bytes))?;
        self.file.seek_relative(bytes as i64)?;
        self.at += bytes;
        Ok(())
    }

    /// Goes to a place.
    pub(super) fn go_to(&mut self, place: u64) -> Result<(), Stop> {
        self.check(place)?;
        self.file.seek(SeekFrom::Start(place))?;
        self.at = place;
        Ok(())
    }

    /// Whether the file has so many bytes.
    pub(super) fn check(&self, end: u64) -> Result<(), Stop> {
        if end > self.len {
            return Err(Unfit::Truncated.into());
        }
        Ok(())
    }

    /// Goes behind the next byte of this value.
    pub(super) fn behind_next(&mut self, wanted: u8) -> Result<(), Stop> {
        loop {
            let buffer = self.file.fill_buf()?;
            if buffer.is_empty() {
                return Err(Unfit::Truncated.into());
            }
            let found = buffer.iter().position(|byte| *byte == wanted);
            let used = found.map_or(buffer.len(), |at| at + 1);
            self.file.consume(used);
            self.at += used as u64;
            if found.is_some() {
                return Ok(());
            }
        }
    }
}
