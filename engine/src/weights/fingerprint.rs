//! What tells one set of model files from another, without reading gigabytes.
//!
//! A file of at most 64 MiB counts by its bytes. A larger one counts by its length, the time of its last
//! change, its own name (in the Hub's cache that is the SHA-256 of its bytes), its first MiB, which holds a
//! safetensors header with names, shapes and offsets, and 4 KiB at each of 64 places behind. A model that was
//! trained further, or stored in another type, differs there even where every file is dated the same, as in
//! the images of containers.
//!
//! What this can't see is a large file in which few values were overwritten in place, between those places,
//! and whose time was set back afterwards. Nothing that delivers models writes like that, and to see it every
//! job would have to read all weights, which is what the fingerprint is there to save.

use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::error::WeightsError;

/// Endings of the files that models and tokenizers are read from.
const ENDINGS: [&str; 3] = ["safetensors", "json", "txt"];
/// Largest file that counts by all its bytes.
const WHOLE_BYTES: u64 = 64 << 20;
/// What is read of the start of a larger one.
const START_BYTES: u64 = 1 << 20;
/// How many places behind the start are looked at.
const SAMPLES: u64 = 64;
/// What is read there.
const SAMPLE_BYTES: u64 = 4 << 10;
/// What is in memory at once.
const PIECE_BYTES: u64 = 1 << 20;

/// SHA-256 over files, as the module describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of all files in `dirs` that a model or a tokenizer can be read from. Where the folders are does not
    /// count, their order does.
    pub fn of_folders<'a>(dirs: impl IntoIterator<Item = &'a Path>) -> Result<Self, WeightsError> {
        let mut hash = Sha256::new();
        for dir in dirs {
            let files = model_files(dir).map_err(reading(dir))?;
            hash.update((files.len() as u64).to_le_bytes());
            for path in files {
                let name = path.file_name().unwrap_or_default().as_encoded_bytes();
                hash.update(Sha256::digest(name));
                hash.update(Self::of_file(&path).map_err(reading(&path))?);
            }
        }
        Ok(Self(hash.finalize().into()))
    }

    /// Of one file.
    pub fn of_file(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        let mut hash = Sha256::new();
        hash.update(metadata.len().to_le_bytes());
        if metadata.len() <= WHOLE_BYTES {
            update(&mut hash, &file, 0, metadata.len())?;
        } else {
            describe(&mut hash, &file, &metadata)?;
            hash.update(
                fs::canonicalize(path)?
                    .file_name()
                    .unwrap_or_default()
                    .as_encoded_bytes(),
            );
        }
        Ok(Self(hash.finalize().into()))
    }
}

impl AsRef<[u8]> for Fingerprint {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// The files of a folder that count, sorted by name. A link that leads nowhere is no file.
fn model_files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = vec![];
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let counts = |ending| ENDINGS.iter().any(|known| *known == ending);
        if path.extension().is_some_and(counts) && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// What is known of a large file without reading it.
fn describe(hash: &mut Sha256, file: &File, metadata: &Metadata) -> io::Result<()> {
    hash.update(metadata.mtime().to_le_bytes());
    hash.update(metadata.mtime_nsec().to_le_bytes());
    update(hash, file, 0, START_BYTES)?;
    let last = metadata.len() - SAMPLE_BYTES;
    for number in 1..=SAMPLES {
        let start = START_BYTES + (last - START_BYTES) * number / SAMPLES;
        update(hash, file, start, SAMPLE_BYTES)?;
    }
    Ok(())
}

/// Hashes `bytes` bytes from `start` on.
fn update(hash: &mut Sha256, file: &File, start: u64, bytes: u64) -> io::Result<()> {
    let mut piece = vec![0; bytes.min(PIECE_BYTES) as usize];
    let end = start + bytes;
    for at in (start..end).step_by(PIECE_BYTES as usize) {
        let piece = &mut piece[..(end - at).min(PIECE_BYTES) as usize];
        file.read_exact_at(piece, at)?;
        hash.update(piece);
    }
    Ok(())
}

fn reading(path: &Path) -> impl FnOnce(io::Error) -> WeightsError {
    let path = path.to_owned();
    move |source| WeightsError::Io {
        path,
        doing: "reading",
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    const LARGE_BYTES: u64 = WHOLE_BYTES + 12_345;

    fn of(dir: &Path) -> Fingerprint {
        Fingerprint::of_folders([dir]).unwrap()
    }

    /// Writes `byte` at `at` and sets the file's time back to what it was.
    fn change_unseen(path: &Path, at: u64, byte: u8) {
        let file = File::options().write(true).open(path).unwrap();
        let changed = file.metadata().unwrap().modified().unwrap();
        file.write_all_at(&[byte], at).unwrap();
        file.set_modified(changed).unwrap();
    }

    #[test]
    fn a_small_file_counts_by_its_bytes_and_nothing_else() {
        let [one, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let weights = one.path().join("model.safetensors");
        let copy = other.path().join("model.safetensors");
        fs::write(&weights, vec![7; 3 << 20]).unwrap();
        fs::write(&copy, vec![7; 3 << 20]).unwrap();
        File::open(&copy)
            .unwrap()
            .set_modified(SystemTime::UNIX_EPOCH)
            .unwrap();
        assert_eq!(of(one.path()), of(other.path()));

        change_unseen(&copy, (3 << 20) - 1, 8);
        assert_ne!(of(one.path()), of(other.path()));
    }

    #[test]
    fn each_file_that_a_model_is_read_from_counts_with_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let mut seen = vec![of(dir.path())];
        for name in ["config.json", "model.safetensors", "merges.txt"] {
            fs::write(dir.path().join(name), "{}").unwrap();
            seen.push(of(dir.path()));
        }
        fs::rename(dir.path().join("merges.txt"), dir.path().join("vocab.txt")).unwrap();
        seen.push(of(dir.path()));
        for (number, fingerprint) in seen.iter().enumerate() {
            assert!(!seen[..number].contains(fingerprint), "{number}");
        }

        fs::write(dir.path().join("README.md"), "a model").unwrap();
        std::os::unix::fs::symlink("nowhere", dir.path().join("more.json")).unwrap();
        assert_eq!(of(dir.path()), seen[seen.len() - 1]);
    }

    #[test]
    fn the_same_file_in_another_folder_is_another_model() {
        let [one, other, empty] = [(); 3].map(|()| tempfile::tempdir().unwrap());
        fs::write(one.path().join("config.json"), "{}").unwrap();
        fs::write(other.path().join("config.json"), "{}").unwrap();
        let pair = |a, b| Fingerprint::of_folders([a, b]).unwrap();
        assert_eq!(
            pair(one.path(), empty.path()),
            pair(other.path(), empty.path())
        );
        assert_ne!(
            pair(one.path(), empty.path()),
            pair(empty.path(), one.path())
        );
    }

    #[test]
    fn a_large_file_counts_by_length_time_name_start_and_samples() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model.safetensors");
        let file = File::create(&path).unwrap();
        let set_length_and_time = |bytes, time| {
            file.set_len(bytes).unwrap();
            file.set_modified(time).unwrap();
        };
        let time = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_700_000_000_000_000_001);
        set_length_and_time(LARGE_BYTES, time);
        let before = of(dir.path());
        assert_eq!(of(dir.path()), before);

        set_length_and_time(LARGE_BYTES + 1, time);
        assert_ne!(of(dir.path()), before);
        set_length_and_time(LARGE_BYTES, time + Duration::from_nanos(1));
        assert_ne!(of(dir.path()), before);
        set_length_and_time(LARGE_BYTES, time);
        assert_eq!(of(dir.path()), before);

        for at in [
            0,
            START_BYTES - 1,
            LARGE_BYTES - SAMPLE_BYTES,
            LARGE_BYTES - 1,
        ] {
            change_unseen(&path, at, 1);
            assert_ne!(of(dir.path()), before, "byte {at}");
            change_unseen(&path, at, 0);
        }
        assert_eq!(of(dir.path()), before);

        // As in the Hub's cache: a link by the same name to another blob.
        fs::rename(&path, dir.path().join("5f0a")).unwrap();
        std::os::unix::fs::symlink("5f0a", &path).unwrap();
        assert_ne!(of(dir.path()), before);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = Fingerprint::of_folders([Path::new("/no/such/folder")]).unwrap_err();
        assert!(error.to_string().contains("/no/such/folder"), "{error}");
    }
}
