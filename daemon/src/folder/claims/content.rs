//! What is taken out of a folder that is only read: the content of a file or bundle, and its copy.

use std::{fs, io, path::Path};

use crate::{
    file::write_whole,
    folder::{
        bundle,
        dropped::{Form, JobText},
    },
};

/// A content as it was read.
#[derive(Debug)]
pub(super) enum Content {
    Text(JobText),
    Bundle { sha256: String },
}

impl Content {
    pub(super) fn of(path: &Path, form: Form) -> io::Result<Self> {
        match form {
            Form::Text => JobText::read(path)
                .map(Self::Text)
                .map_err(io::Error::other),
            form => bundle::digest(path, form)
                .map(|sha256| Self::Bundle { sha256 })
                .map_err(io::Error::other),
        }
    }

    /// In hexadecimal.
    pub(super) fn sha256(&self) -> String {
        match self {
            Self::Text(job) => job.sha256(),
            Self::Bundle { sha256 } => sha256.clone(),
        }
    }

    /// Copies it, all or nothing. `false`: it is not the content any more that was read.
    pub(super) fn copy(&self, from: &Path, form: Form, to: &Path) -> io::Result<bool> {
        let sha256 = match self {
            Self::Text(job) => return write_whole(to, &job.bytes).map(|()| true),
            Self::Bundle { sha256 } => sha256,
        };
        let part = to.with_file_name(".copy");
        // What a daemon left that was killed meanwhile.
        let _ = fs::remove_dir_all(&part);
        let _ = fs::remove_file(&part);
        bundle::copy(from, form, &part).map_err(io::Error::other)?;
        let is_same = bundle::digest(&part, form).is_ok_and(|copied| copied == *sha256);
        if is_same {
            fs::rename(&part, to)?;
        }
        Ok(is_same)
    }
}
