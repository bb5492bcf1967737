//! Machine code on disk, from where the next process has it: `<circumstances>-<key>.cubin`.
//!
//! A key stands for a source and the compiler's options, among them the device's architecture; circumstances are the
//! versions of the compiler and of the driver. A file is its code behind the code's SHA-256. Several workers may use one folder: files
//! appear complete, by a rename. A file's time of change is the time of its last use; what is not used goes some day.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use sha2::{Digest, Sha256};

use super::variant::Variant;

const CHECKSUM_BYTES: usize = 32;
/// Hexadecimal digits that tell circumstances apart.
const CIRCUMSTANCES_DIGITS: usize = 16;
const KEY_DIGITS: usize = 64;
const ENDING: &str = ".cubin";
/// Of files that are being written.
const UNFINISHED: [&str; 2] = ["kernel-", ".new"];
/// For how long unused code is kept: of a driver before an update, or of an earlier version of this program.
const UNUSED: Duration = Duration::from_hours(30 * 24);
/// For how long nobody writes a file.
const ABANDONED: Duration = Duration::from_hours(1);

/// A folder of machine code.
#[derive(Debug)]
pub(super) struct KeptCode {
    folder: PathBuf,
    circumstances: String,
}

impl KeptCode {
    /// Of code by these versions of the compiler and of the driver.
    pub(super) fn new(folder: &Path, compiler: &str, driver: &str) -> Self {
        let digest = format!("{:x}", Sha256::digest(format!("{compiler:?} {driver:?}")));
        Self {
            folder: folder.into(),
            circumstances: digest[..CIRCUMSTANCES_DIGITS].to_owned(),
        }
    }

    /// The code of `variant` for an architecture; none if it was not kept, or was damaged.
    pub(super) fn read(&self, variant: &Variant, architecture: i32) -> Option<Vec<u8>> {
        let path = self.path(variant, architecture);
        let mut bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(path = %path.display(), %error, "can't read a compiled kernel");
                }
                return None;
            }
        };
        if bytes.len() <= CHECKSUM_BYTES {
            bytes.clear();
        } else {
            let code = bytes.split_off(CHECKSUM_BYTES);
            if bytes[..] == Sha256::digest(&code)[..] {
                // A file that may not be written to only grows old too early.
                let _ = File::options()
                    .write(true)
                    .open(&path)
                    .and_then(|file| file.set_modified(SystemTime::now()));
                return Some(code);
            }
        }
        tracing::warn!(path = %path.display(), "a compiled kernel is damaged and compiled again");
        None
    }

    /// Keeps code, and removes what has not been used for long.
    pub(super) fn write(&self, variant: &Variant, architecture: i32, code: &[u8]) {
        let path = self.path(variant, architecture);
        let written = fs::create_dir_all(&self.folder).and_then(|()| {
            let [prefix, suffix] = UNFINISHED;
            let mut unfinished = tempfile::Builder::new();
            let mut file = unfinished
                .prefix(prefix)
                .suffix(suffix)
                .tempfile_in(&self.folder)?;
            file.write_all(&Sha256::digest(code))?;
            file.write_all(code)?;
            file.persist(&path).map_err(|error| error.error)
        });
        match written {
            Ok(_) => self.prune(),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a compiled kernel can't be kept");
            }
        }
    }

    fn path(&self, variant: &Variant, architecture: i32) -> PathBuf {
        let mut key = Sha256::new();
        key.update(variant.source.to_bytes_with_nul());
        key.update(variant.name.to_bytes_with_nul());
        key.update(format!("{:?}", variant.options(architecture)));
        let name = format!("{}-{:x}{ENDING}", self.circumstances, key.finalize());
        self.folder.join(name)
    }

    fn prune(&self) {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        for entry in entries {
            let Some(lifetime) = lifetime(&entry.file_name().to_string_lossy()) else {
                continue;
            };
            let modified = entry.metadata().and_then(|metadata| metadata.modified());
            let age = modified.ok().and_then(|modified| modified.elapsed().ok());
            if age.is_some_and(|age| age > lifetime) {
                // Another worker may have been faster.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// How long a file of this name may lie unused; `None` of a file that is none of these.
fn lifetime(name: &str) -> Option<Duration> {
    let [prefix, suffix] = UNFINISHED;
    if name.starts_with(prefix) && name.ends_with(suffix) {
        return Some(ABANDONED);
    }
    let (circumstances, key) = name.strip_suffix(ENDING)?.split_once('-')?;
    let is_hexadecimal = |text: &str, digits| {
        text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let is_kept =
        is_hexadecimal(circumstances, CIRCUMSTANCES_DIGITS) && is_hexadecimal(key, KEY_DIGITS);
    is_kept.then_some(UNUSED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variant(definition: &str) -> Variant {
        Variant {
            source: c"a source",
            name: c"a_kernel",
            definitions: vec![definition.to_owned()],
        }
    }

    #[test]
    fn code_comes_back_for_its_source_architecture_and_circumstances_alone() {
        let folder = tempfile::tempdir().unwrap();
        let kept = KeptCode::new(&folder.path().join("kernels"), "13.0", "580.1");
        assert_eq!(kept.read(&variant("N=8"), 90), None);
        kept.write(&variant("N=8"), 90, b"code");
        assert_eq!(kept.read(&variant("N=8"), 90).unwrap(), b"code");
        assert_eq!(kept.read(&variant("N=4"), 90), None);
        assert_eq!(kept.read(&variant("N=8"), 89), None);
        let path = folder.path().join("kernels");
        for (compiler, driver) in [("13.1", "580.1"), ("13.0", "590")] {
            let other = KeptCode::new(&path, compiler, driver);
            assert_eq!(other.read(&variant("N=8"), 90), None);
        }
    }

    #[test]
    fn what_is_not_used_goes_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let kept = KeptCode::new(folder.path(), "13.0", "580.1");
        kept.write(&variant("N=8"), 90, b"code");
        kept.write(&variant("N=4"), 90, b"code");
        let others = ["own.cubin", "kernel.new", "notes.txt"];
        let unfinished = ["kernel-old.new", "kernel-young.new"];
        for name in others.iter().chain(&unfinished) {
            fs::write(path(name), "").unwrap();
        }
        let age = |path: &Path, age| {
            let file = File::options().write(true).open(path).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
        };
        for name in others {
            age(&path(name), 2 * UNUSED);
        }
        age(&path("kernel-old.new"), 2 * ABANDONED);
        for definition in ["N=8", "N=4"] {
            age(&kept.path(&variant(definition), 90), 2 * UNUSED);
        }
        assert!(kept.read(&variant("N=8"), 90).is_some(), "used now");
        kept.write(&variant("N=2"), 90, b"code");
        assert!(kept.read(&variant("N=8"), 90).is_some());
        assert_eq!(kept.read(&variant("N=4"), 90), None);
        assert!(others.iter().all(|name| path(name).exists()));
        assert!(path("kernel-young.new").exists() && !path("kernel-old.new").exists());
    }

    #[test]
    fn damaged_code_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let kept = KeptCode::new(folder.path(), "13.0", "580.1");
        kept.write(&variant("N=8"), 90, b"code");
        let path = kept.path(&variant("N=8"), 90);
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(kept.read(&variant("N=8"), 90), None, "cut at {length}");
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            fs::write(&path, &damaged).unwrap();
            assert_eq!(kept.read(&variant("N=8"), 90), None, "flipped at {at}");
        }
        kept.write(&variant("N=8"), 90, b"code");
        assert_eq!(kept.read(&variant("N=8"), 90).unwrap(), b"code");
    }

    #[test]
    fn a_folder_that_can_not_be_written_costs_nothing_but_time() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let kept = KeptCode::new(&file, "13.0", "580.1");
        kept.write(&variant("N=8"), 90, b"code");
        assert_eq!(kept.read(&variant("N=8"), 90), None);
    }
}
