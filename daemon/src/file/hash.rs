//! What a file contains, as one number.

use std::{fs::File, io, path::Path};

use sha2::{Digest, Sha256};

/// SHA-256 of a file's content, in hexadecimal. Reads all of it.
pub(crate) fn sha256_of(path: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut File::open(path)?, &mut hash)?;
    Ok(format!("{:x}", hash.finalize()))
}
