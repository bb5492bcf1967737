//! Finished frames that wait for those before them, on the disk instead of in memory.
//!
//! A video of two minutes has about 4 GB of them, and the backward order makes its beginning last.

use std::{
    collections::VecDeque,
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use crate::error::Error;

/// Pieces of whole frames, packed RGB, in an unnamed file that ends with its owner.
#[derive(Debug)]
pub(crate) struct Pieces {
    folder: PathBuf,
    file: File,
    end: u64,
    /// Begin and length of each in the order of time.
    places: VecDeque<(u64, usize)>,
}

impl Pieces {
    /// No pieces yet; the file is in `folder`.
    pub(crate) fn in_folder(folder: &Path) -> Result<Self, Error> {
        let file = tempfile::tempfile_in(folder).map_err(failed(folder, "keeping frames in"))?;
        Ok(Self {
            folder: folder.into(),
            file,
            end: 0,
            places: VecDeque::new(),
        })
    }

    /// Adds a piece before all others.
    pub(crate) fn push_front(&mut self, frames: &[u8]) -> Result<(), Error> {
        let place = self.write(frames)?;
        self.places.push_front(place);
        Ok(())
    }

    /// Adds a piece behind all others.
    pub(crate) fn push_back(&mut self, frames: &[u8]) -> Result<(), Error> {
        let place = self.write(frames)?;
        self.places.push_back(place);
        Ok(())
    }

    /// The pieces in the order of time.
    pub(crate) fn read(&self) -> impl Iterator<Item = Result<Vec<u8>, Error>> {
        self.places.iter().map(|&(begin, length)| {
            let mut piece = vec![0; length];
            let read = self.file.read_exact_at(&mut piece, begin);
            read.map_err(failed(&self.folder, "reading frames in"))?;
            Ok(piece)
        })
    }

    fn write(&mut self, frames: &[u8]) -> Result<(u64, usize), Error> {
        let written = self.file.write_all_at(frames, self.end);
        written.map_err(failed(&self.folder, "keeping frames in"))?;
        let place = (self.end, frames.len());
        self.end += frames.len() as u64;
        Ok(place)
    }
}

fn failed(folder: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> Error {
    let path = folder.to_owned();
    move |source| Error::Io {
        path,
        doing,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_back_in_the_order_of_time_and_leave_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut pieces = Pieces::in_folder(folder.path()).unwrap();
        pieces.push_back(b"middle").unwrap();
        pieces.push_front(b"begin").unwrap();
        pieces.push_back(b"").unwrap();
        pieces.push_back(b"end").unwrap();
        let read: Result<Vec<_>, _> = pieces.read().collect();
        assert_eq!(read.unwrap().concat(), b"beginmiddleend");
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }
}
