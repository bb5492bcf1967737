//! The journal, open for writing.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use super::{
    entry::Entry,
    read::{self, Contents},
};
use crate::file::{open_segment, segment_path, segments, sync_dir};

/// A file is followed by another one from this size on.
const SEGMENT_BYTES: u64 = 8 << 20;
/// The files are replaced when they have this many times the bytes that were left the last time.
const GROWTH: u64 = 4;
/// Jobs that have ended and are kept when the files are replaced.
pub(crate) const RECENT: usize = 10_000;

/// The journal, open for writing. The state directory's lock keeps others away.
#[derive(Debug)]
pub(crate) struct Journal {
    folder: PathBuf,
    number: u64,
    file: File,
    /// Bytes of the file that are whole, synced lines.
    whole_bytes: u64,
    /// Something may lie behind them.
    is_torn: bool,
    /// Bytes of all files.
    bytes: u64,
    /// Bytes that were left when the files were replaced.
    compact_bytes: u64,
}

impl Journal {
    /// Opens or creates the journal and says what it holds. Nothing is changed before the first write.
    pub(crate) fn open(folder: &Path) -> io::Result<(Self, Contents)> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o750)
            .create(folder)?;
        let segments = segments(folder)?;
        let (contents, whole_bytes) = read::read(&segments)?;
        let number = segments.last().map_or(1, |segment| segment.number);
        let file = open_segment(folder, number)?;
        let journal = Self {
            folder: folder.to_owned(),
            number,
            file,
            whole_bytes,
            is_torn: true,
            bytes: contents.bytes,
            compact_bytes: SEGMENT_BYTES,
        };
        Ok((journal, contents))
    }

    /// Writes and syncs lines. When that fails, none of them counts.
    pub(crate) fn append(&mut self, entries: &[Entry]) -> io::Result<()> {
        self.cut()?;
        if self.whole_bytes > SEGMENT_BYTES {
            self.begin_segment(self.number + 1)?;
        }
        let lines: Vec<u8> = entries.iter().flat_map(Entry::line).collect();
        self.is_torn = true;
        let written = self
            .file
            .write_all(&lines)
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // When even this fails, it is tried before the next write.
            let _ = self.cut();
            return Err(error);
        }
        self.is_torn = false;
        self.whole_bytes += lines.len() as u64;
        self.bytes += lines.len() as u64;
        Ok(())
    }

    /// Whether the files have grown enough to be replaced.
    pub(crate) fn wants_compaction(&self) -> bool {
        self.bytes > GROWTH * self.compact_bytes.max(SEGMENT_BYTES)
    }

    /// Replaces all files by one with these entries.
    pub(crate) fn compact<'e>(
        &mut self,
        entries: impl Iterator<Item = &'e Entry>,
    ) -> io::Result<()> {
        let old = segments(&self.folder)?;
        let number = self.number + 1;
        let new = segment_path(&self.folder, number);
        let unfinished = new.with_extension("new");
        let mut file = io::BufWriter::new(File::create(&unfinished)?);
        let mut bytes = 0;
        for entry in entries {
            let line = entry.line();
            bytes += line.len() as u64;
            file.write_all(&line)?;
        }
        file.into_inner()?.sync_all()?;
        fs::rename(&unfinished, &new)?;
        sync_dir(&self.folder)?;
        self.begin_segment(number)?;
        (self.whole_bytes, self.bytes, self.compact_bytes) = (bytes, bytes, bytes);
        for segment in old {
            fs::remove_file(segment.path)?;
        }
        sync_dir(&self.folder)
    }

    /// Copies the files as they are into another folder.
    pub(crate) fn copy_to(&self, aside: &Path) -> io::Result<()> {
        for segment in segments(&self.folder)? {
            let name = segment.path.file_name().unwrap_or_default();
            fs::copy(&segment.path, aside.join(name))?;
        }
        Ok(())
    }

    /// What a journal holds that nobody writes; one that is not there holds nothing.
    pub(crate) fn peek(folder: &Path) -> io::Result<Contents> {
        if !folder.exists() {
            return Ok(Contents::default());
        }
        read::read(&segments(folder)?).map(|(contents, _)| contents)
    }

    /// What the files hold now.
    pub(crate) fn read(&self) -> io::Result<Contents> {
        Self::peek(&self.folder)
    }

    fn begin_segment(&mut self, number: u64) -> io::Result<()> {
        self.file = open_segment(&self.folder, number)?;
        self.number = number;
        self.whole_bytes = self.file.metadata()?.len();
        Ok(())
    }

    /// Cuts off what is no whole line.
    fn cut(&mut self) -> io::Result<()> {
        if self.is_torn {
            self.file.set_len(self.whole_bytes)?;
            self.file.sync_data()?;
            self.is_torn = false;
        }
        Ok(())
    }
}
