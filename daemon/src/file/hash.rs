//! What a file contains, as one number.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use sha2::{Digest, Sha256};

/// Bytes between two signs of life.
const CHUNK_BYTES: u64 = 1 << 20;

/// SHA-256 of a file's content, in hexadecimal. Reads all of it.
pub(crate) fn sha256_of(path: &Path) -> io::Result<String> {
    sha256_with(path, || {})
}

/// The same; `beat` is called while that gets on.
pub(crate) fn sha256_with(path: &Path, beat: impl Fn()) -> io::Result<String> {
    let mut hash = Sha256::new();
    copy_with(File::open(path)?, &mut hash, beat)?;
    Ok(format!("{:x}", hash.finalize()))
}

/// Copies all of a file, piece by piece; `beat` is called after each.
pub(crate) fn copy_with(
    mut from: impl Read,
    to: &mut impl io::Write,
    beat: impl Fn(),
) -> io::Result<()> {
    while io::copy(&mut from.by_ref().take(CHUNK_BYTES), to)? > 0 {
        beat();
    }
    Ok(())
}
