//! Hashes of files: the one that the Hub names, and our own SHA-256.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest, Sha256};

const BUFFER_BYTES: usize = 1 << 20;

/// The hash by which the Hub knows a file, in lower-case hexadecimal digits. It is the name of the file's blob in the
/// Hub's cache, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HubHash {
    /// Of large files, which git-lfs keeps.
    Sha256(String),
    /// Of the others: what git calls their blob.
    GitBlob(String),
}

/// What the bytes of a file come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digests {
    pub(crate) sha256: String,
    /// Only where the Hub names it.
    git_blob: Option<String>,
}

/// Takes a file's bytes as they come.
#[derive(Debug, Clone)]
pub(crate) struct Digester {
    sha256: Sha256,
    git_blob: Option<Sha1>,
}

impl HubHash {
    /// The hash that is written so, as the name of a blob is.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if !text.bytes().all(is_hex) {
            return None;
        }
        match text.len() {
            64 => Some(Self::Sha256(text.to_owned())),
            40 => Some(Self::GitBlob(text.to_owned())),
            _ => None,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Sha256(text) | Self::GitBlob(text) => text,
        }
    }

    pub(crate) fn is_of(&self, digests: &Digests) -> bool {
        self.as_str() == digests.like(self)
    }
}

impl Digests {
    /// The one of the same kind.
    pub(crate) fn like(&self, hash: &HubHash) -> &str {
        match hash {
            HubHash::Sha256(_) => &self.sha256,
            HubHash::GitBlob(_) => self.git_blob.as_deref().unwrap_or_default(),
        }
    }
}

impl Digester {
    /// For a file of `bytes` bytes, which git hashes with them.
    pub(crate) fn new(bytes: u64, hash: Option<&HubHash>) -> Self {
        let git_blob = matches!(hash, Some(HubHash::GitBlob(_)));
        Self {
            sha256: Sha256::new(),
            git_blob: git_blob.then(|| Sha1::new_with_prefix(format!("blob {bytes}\0"))),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        if let Some(git_blob) = &mut self.git_blob {
            git_blob.update(bytes);
        }
    }

    pub(crate) fn finish(self) -> Digests {
        Digests {
            sha256: format!("{:x}", self.sha256.finalize()),
            git_blob: self.git_blob.map(|hash| format!("{:x}", hash.finalize())),
        }
    }
}

/// Reads a file to its end; `read` hears of every piece.
pub(crate) fn of_file(
    path: &Path,
    hash: Option<&HubHash>,
    mut read: impl FnMut(u64),
) -> io::Result<Digests> {
    let mut file = File::open(path)?;
    let mut digester = Digester::new(file.metadata()?.len(), hash);
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(digester.finish()),
            length => {
                digester.update(&buffer[..length]);
                read(length as u64);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_hashes_a_blob_with_its_length() {
        // `printf 'hello\n' | git hash-object --stdin`
        let hash = HubHash::parse("ce013625030ba8dba906f756967f9e9ca394464a").unwrap();
        let mut digester = Digester::new(6, Some(&hash));
        digester.update(b"h");
        digester.update(b"ello\n");
        let digests = digester.finish();
        assert!(hash.is_of(&digests));
        let sha256 = HubHash::parse(&digests.sha256).unwrap();
        assert!(sha256.is_of(&digests));
        assert!(digests.sha256.starts_with("5891b5b522d5df08"));
    }

    #[test]
    fn what_is_no_hash_is_not_taken_for_one() {
        for text in ["", "abc", &"g".repeat(40), &"A".repeat(64), "../../etc"] {
            assert_eq!(HubHash::parse(text), None, "{text}");
        }
    }
}
