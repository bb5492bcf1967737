//! The bytes of a file that has begun: kept on the disk from run to run, and hashed as they come.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use super::error::FetchError;
use crate::{
    api::HubFile,
    hash::{Digester, Digests},
    target::{Place, create_folder_of},
};

/// An open file, at its end.
#[derive(Debug)]
pub(super) struct Partial<'f> {
    file: File,
    path: &'f Path,
    wanted: &'f HubFile,
    digester: Digester,
    /// Bytes that are there.
    at: u64,
}

impl<'f> Partial<'f> {
    /// Opens what an earlier run left, or a new file; `read` hears of every piece of it that is hashed again.
    pub(super) fn open(
        place: &'f Place,
        wanted: &'f HubFile,
        read: impl FnMut(u64),
    ) -> Result<Self, FetchError> {
        let path = &*place.partial;
        let failed = |error| FetchError::file(path)(error);
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        let file = create_folder_of(path).and_then(|()| options.open(path));
        let mut partial = Self {
            file: file.map_err(failed)?,
            path,
            wanted,
            digester: Digester::new(wanted.bytes, Some(&wanted.hash)),
            at: 0,
        };
        let length = partial.file.metadata().map_err(failed)?.len();
        if length > wanted.bytes {
            partial.restart()?;
        } else {
            partial.hash_again(read).map_err(failed)?;
        }
        Ok(partial)
    }

    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// Bytes that are still missing.
    pub(super) fn missing(&self) -> u64 {
        self.wanted.bytes - self.at
    }

    /// Forgets all bytes.
    pub(super) fn restart(&mut self) -> Result<(), FetchError> {
        let emptied = self.file.set_len(0).and_then(|()| self.file.rewind());
        emptied.map_err(FetchError::file(self.path))?;
        self.digester = Digester::new(self.wanted.bytes, Some(&self.wanted.hash));
        self.at = 0;
        Ok(())
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), FetchError> {
        let written = self.file.write_all(bytes);
        written.map_err(FetchError::file(self.path))?;
        self.digester.update(bytes);
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// All bytes are there: what they come to, and the file that they are in.
    pub(super) fn finish(self) -> Result<(Digests, PathBuf), FetchError> {
        self.file.sync_all().map_err(FetchError::file(self.path))?;
        Ok((self.digester.finish(), self.path.to_owned()))
    }

    fn hash_again(&mut self, mut read: impl FnMut(u64)) -> io::Result<()> {
        let mut buffer = vec![0; 1 << 20];
        loop {
            match self.file.read(&mut buffer)? {
                0 => break,
                length => {
                    self.digester.update(&buffer[..length]);
                    self.at += length as u64;
                    read(length as u64);
                }
            }
        }
        self.file.seek(SeekFrom::Start(self.at)).map(drop)
    }
}
