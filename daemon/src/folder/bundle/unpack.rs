//! Unpacking an archive into a folder that nobody else writes to, within limits.

use std::{
    cell::Cell,
    error::Error,
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Component, Path, PathBuf},
};

use tar::EntryType;
use zip::ZipArchive;

use super::{
    error::BundleError,
    limits::{FREE_BYTES, MAX_BYTES, MAX_DEPTH, MAX_ENTRIES, MAX_RATIO},
};
use crate::folder::dropped::{Form, is_leftover};

/// Type bits of a Unix mode, and their values for files and folders.
const S_IFMT: u32 = 0o170_000;
const S_IFREG: u32 = 0o100_000;
const S_IFDIR: u32 = 0o040_000;
/// Largest window of a zstd frame, as a power of two: what `zstd` makes without `--long`.
const MAX_WINDOW_LOG: u32 = 27;

/// Where entries go.
trait Sink {
    fn put(&mut self, name: &str, content: &mut dyn Read) -> Result<(), BundleError>;
}

/// Unpacks an archive.
pub(super) fn unpack(archive: &Path, form: Form, into: &Path) -> Result<(), BundleError> {
    read(archive, form, &mut FolderSink(into))
}

/// Why an archive can't be read to its end; `None`: it can, or more data would not help.
pub(crate) fn unfinished(archive: &Path, form: Form) -> Option<String> {
    match read(archive, form, &mut NullSink) {
        Ok(()) | Err(BundleError::TooMany | BundleError::TooLarge) => None,
        Err(error) => Some(error.to_string()),
    }
}

fn read(archive: &Path, form: Form, sink: &mut dyn Sink) -> Result<(), BundleError> {
    let file = File::open(archive).map_err(damaged)?;
    let packed_bytes = file.metadata().map_err(damaged)?.len();
    let meter = Meter {
        max_bytes: MAX_BYTES.min(FREE_BYTES.max(packed_bytes.saturating_mul(MAX_RATIO))),
        bytes: Cell::new(0),
        entries: Cell::new(0),
    };
    let done = match form {
        Form::Zip => read_zip(file, &meter, sink),
        _ => read_tar(file, &meter, sink),
    };
    match done {
        Err(BundleError::Damaged { .. }) if meter.is_exceeded() => Err(BundleError::TooLarge),
        done => done,
    }
}

fn read_zip(file: File, meter: &Meter, sink: &mut dyn Sink) -> Result<(), BundleError> {
    let mut archive = ZipArchive::new(file).map_err(damaged)?;
    for n in 0..archive.len() {
        let mut entry = archive.by_index(n).map_err(damaged)?;
        // Not every program says that its names are UTF-8.
        let name = str::from_utf8(entry.name_raw())
            .unwrap_or(entry.name())
            // Older programs on Windows write paths as they are there.
            .replace('\\', "/");
        if is_in_leftover(&name) {
            continue;
        }
        meter.entry()?;
        let kind = entry.unix_mode().map_or(0, |mode| mode & S_IFMT);
        match kind {
            _ if entry.is_dir() => continue,
            0 | S_IFREG => {}
            S_IFDIR => continue,
            _ => return Err(special(name)),
        }
        sink.put(&name, &mut Metered(&mut entry, meter))?;
    }
    Ok(())
}

fn read_tar(file: File, meter: &Meter, sink: &mut dyn Sink) -> Result<(), BundleError> {
    let mut decoder = zstd::Decoder::new(file).map_err(damaged)?;
    decoder.window_log_max(MAX_WINDOW_LOG).map_err(damaged)?;
    let mut archive = tar::Archive::new(Metered(decoder, meter));
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if is_in_leftover(&name) {
            continue;
        }
        meter.entry()?;
        match entry.header().entry_type() {
            EntryType::Regular => sink.put(&name, &mut entry)?,
            EntryType::Directory | EntryType::XGlobalHeader => {}
            _ => return Err(special(name)),
        }
    }
    // The end of the frame, with its checksum.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(damaged)?;
    Ok(())
}

/// Whether an entry is what a system left in the folder that was packed, or below that.
fn is_in_leftover(name: &str) -> bool {
    name.split('/').any(|part| is_leftover(part.as_ref()))
}

fn special(name: String) -> BundleError {
    let kind = "a link, or something else that is not a file";
    BundleError::Special { name, kind }
}

fn damaged(error: impl Into<Box<dyn Error + Send + Sync>>) -> BundleError {
    BundleError::Damaged {
        reason: error.into().to_string(),
    }
}

/// A new folder.
struct FolderSink<'a>(&'a Path);

impl Sink for FolderSink<'_> {
    fn put(&mut self, name: &str, content: &mut dyn Read) -> Result<(), BundleError> {
        let path = below(self.0, name)?;
        let failed = |error| BundleError::Unpack {
            path: path.clone(),
            error,
        };
        if let Some(folder) = path.parent() {
            // Beneath a file of the same name: the archive contradicts itself.
            fs::create_dir_all(folder).map_err(damaged)?;
        }
        let file = File::options()
            .write(true)
            .create_new(true)
            .mode(0o640)
            .open(&path);
        let mut file = match file {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(damaged(format!("it contains `{name}` twice")));
            }
            file => file.map_err(failed)?,
        };
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = content.read(&mut buffer).map_err(damaged)?;
            if read == 0 {
                return Ok(());
            }
            file.write_all(&buffer[..read]).map_err(failed)?;
        }
    }
}

/// Reads entries and forgets them.
struct NullSink;

impl Sink for NullSink {
    fn put(&mut self, _: &str, content: &mut dyn Read) -> Result<(), BundleError> {
        io::copy(content, &mut io::sink()).map_err(damaged)?;
        Ok(())
    }
}

/// The place of an entry in a folder, by plain names alone: no `..`, no root, no backslash.
fn below(folder: &Path, name: &str) -> Result<PathBuf, BundleError> {
    let outside = || BundleError::Outside {
        name: name.to_owned(),
    };
    let mut path = folder.to_owned();
    let mut depth = 0;
    for component in Path::new(name).components() {
        match component {
            Component::Normal(part) => path.push(part),
            Component::CurDir => continue,
            _ => return Err(outside()),
        }
        depth += 1;
    }
    let is_plain = !name.contains(['\\', '\0']) && depth > 0 && depth <= MAX_DEPTH;
    is_plain.then_some(path).ok_or_else(outside)
}

/// Counts what comes out of an archive.
struct Meter {
    max_bytes: u64,
    bytes: Cell<u64>,
    entries: Cell<usize>,
}

impl Meter {
    fn entry(&self) -> Result<(), BundleError> {
        self.entries.set(self.entries.get() + 1);
        if self.entries.get() > MAX_ENTRIES {
            return Err(BundleError::TooMany);
        }
        Ok(())
    }

    fn is_exceeded(&self) -> bool {
        self.bytes.get() > self.max_bytes
    }
}

/// A reader that ends with an error beyond the limit.
struct Metered<'m, R>(R, &'m Meter);

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buffer)?;
        let Self(_, meter) = self;
        meter.bytes.set(meter.bytes.get() + read as u64);
        if meter.is_exceeded() {
            return Err(io::Error::other("it is too large"));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_10_entries_stay_below_their_folder() {
        let folder = Path::new("/state/bundles/1");
        for (name, path) in [
            ("a.yaml", "a.yaml"),
            ("./a/b.png", "a/b.png"),
            ("a//b.png", "a/b.png"),
        ] {
            assert_eq!(below(folder, name).unwrap(), folder.join(path));
        }
        let deep = "a/".repeat(9);
        for name in [
            "",
            ".",
            "/etc/passwd",
            "../a",
            "a/../../b",
            "a\\..\\b",
            "a\0b",
            &deep,
        ] {
            let refused = below(folder, name).unwrap_err();
            assert!(matches!(refused, BundleError::Outside { .. }), "{name:?}");
        }
    }

    /// A zip with one entry of this name.
    fn zip(name: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut zip = zip::ZipWriter::new(file.reopen().unwrap());
        // As the programs write it: the library would change the name.
        let accepted = name.replace('\\', "|");
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(&accepted, options).unwrap();
        zip.write_all(b"cat").unwrap();
        zip.finish().unwrap();
        let mut bytes = fs::read(file.path()).unwrap();
        for start in 0..=bytes.len() - name.len() {
            if bytes[start..].starts_with(accepted.as_bytes()) {
                bytes[start..start + name.len()].copy_from_slice(name.as_bytes());
            }
        }
        fs::write(file.path(), bytes).unwrap();
        file
    }

    #[test]
    fn backslashes_of_windows_separate_names() {
        let into = tempfile::tempdir().unwrap();
        unpack(zip("cat\\cat.yaml").path(), Form::Zip, into.path()).unwrap();
        assert_eq!(fs::read(into.path().join("cat/cat.yaml")).unwrap(), b"cat");
        for name in ["..\\cat.yaml", "cat\\..\\..\\cat.yaml", "\\cat.yaml"] {
            let refused = unpack(zip(name).path(), Form::Zip, into.path()).unwrap_err();
            assert!(matches!(refused, BundleError::Outside { .. }), "{name}");
        }
    }
}
