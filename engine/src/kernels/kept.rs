//! Machine code on disk, from where the next process has it: `<circumstances>-<key>.cubin`.
//!
//! A key stands for a source with its definitions and for the device's architecture; circumstances are the versions of the
//! compiler and of the driver. A file is its code behind the code's SHA-256. Several workers may use one folder: files
//! appear complete, by a rename.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::variant::Variant;

const CHECKSUM_BYTES: usize = 32;
/// Hexadecimal digits that tell circumstances apart.
const CIRCUMSTANCES_DIGITS: usize = 16;

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
                return Some(code);
            }
        }
        tracing::warn!(path = %path.display(), "a compiled kernel is damaged and compiled again");
        None
    }

    /// Keeps code, and removes what other circumstances have left.
    pub(super) fn write(&self, variant: &Variant, architecture: i32, code: &[u8]) {
        let path = self.path(variant, architecture);
        let written = fs::create_dir_all(&self.folder).and_then(|()| {
            let mut file = tempfile::Builder::new()
                .suffix(".new")
                .tempfile_in(&self.folder)?;
            file.write_all(&Sha256::digest(code))?;
            file.write_all(code)?;
            file.persist(&path).map_err(|error| error.error)
        });
        match written {
            Ok(_) => self.remove_others(),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a compiled kernel can't be kept");
            }
        }
    }

    fn path(&self, variant: &Variant, architecture: i32) -> PathBuf {
        let mut key = Sha256::new();
        key.update(variant.source.to_bytes_with_nul());
        key.update(variant.name.to_bytes_with_nul());
        key.update(format!("{:?} {architecture}", variant.definitions));
        let name = format!("{}-{:x}.cubin", self.circumstances, key.finalize());
        self.folder.join(name)
    }

    fn remove_others(&self) {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        for entry in entries {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.ends_with(".cubin") && !name.starts_with(&self.circumstances) {
                // Another worker may have been faster.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
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
    fn what_another_driver_has_left_goes() {
        let folder = tempfile::tempdir().unwrap();
        let before = KeptCode::new(folder.path(), "13.0", "580.1");
        before.write(&variant("N=8"), 90, b"code");
        let kept = KeptCode::new(folder.path(), "13.0", "590");
        kept.write(&variant("N=8"), 90, b"code");
        kept.write(&variant("N=8"), 120, b"code");
        assert_eq!(before.read(&variant("N=8"), 90), None);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
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
