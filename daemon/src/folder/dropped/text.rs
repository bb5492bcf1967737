//! Reading a job file: regular files only, never waiting, never more than a job can have; and whether its text is whole.

use std::{
    fs::{File, Metadata},
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use framepack_jobs::{Code, Failure, MAX_FILE_BYTES};
use framepack_yaml::{self as yaml, NotText};
use nix::fcntl::OFlag;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::answer::NoJob;
use crate::file::{self, FileState};

/// Why a file can't be read as a job.
#[derive(Debug, Error)]
pub(crate) enum ReadError {
    #[error("not a regular file, but {kind}")]
    NotRegular { kind: &'static str },
    #[error("the file is empty")]
    Empty,
    #[error("the file has {found} bytes; a job file has at most {MAX_FILE_BYTES}")]
    TooLarge { found: u64 },
    #[error(transparent)]
    NotText(#[from] NotText),
    #[error("the file was still being written after it had looked complete")]
    Changed,
    #[error("reading the file: {0}")]
    Io(#[from] io::Error),
}

impl ReadError {
    /// The failure of the job file.
    pub(crate) fn into_failure(self) -> Failure {
        let code = match &self {
            Self::NotRegular { .. } => Code::JOB_FILE_SPECIAL,
            Self::Empty => Code::JOB_FILE_EMPTY,
            Self::TooLarge { .. } => Code::JOB_FILE_TOO_LARGE,
            Self::NotText(_) => Code::JOB_FILE_NOT_TEXT,
            Self::Changed => Code::JOB_FILE_CHANGED,
            Self::Io(_) => Code::JOB_FILE_NOT_READ,
        };
        Failure::new(code, self.to_string())
    }
}

impl From<ReadError> for NoJob {
    fn from(error: ReadError) -> Self {
        error.into_failure().into()
    }
}

/// A job file's content, and the file's state when it was read.
#[derive(Debug)]
pub(crate) struct JobText {
    /// As it is in the file, with a byte order mark if there is one.
    pub(crate) bytes: Vec<u8>,
    /// The same as text.
    pub(crate) text: String,
    pub(crate) state: FileState,
}

impl JobText {
    /// Reads a job file without ever blocking on it.
    pub(crate) fn read(path: &Path) -> Result<Self, ReadError> {
        let mut file = open(path)?;
        let metadata = file.metadata()?;
        let mut bytes = Vec::new();
        let limit = MAX_FILE_BYTES as u64 + 1;
        file.by_ref().take(limit).read_to_end(&mut bytes)?;
        if bytes.len() > MAX_FILE_BYTES {
            let found = metadata.len();
            return Err(ReadError::TooLarge { found });
        }
        let text = yaml::decode(&bytes)?;
        if text.is_empty() {
            return Err(ReadError::Empty);
        }
        Ok(Self {
            bytes,
            text,
            state: (&metadata).into(),
        })
    }

    /// SHA-256 of the file, in hexadecimal.
    pub(crate) fn sha256(&self) -> String {
        format!("{:x}", Sha256::digest(&self.bytes))
    }

    /// Whether nothing was written between two readings.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.bytes == other.bytes && self.state.is_same_content(&other.state)
    }
}

/// Why a text looks as if it were still being written: empty, cut off or invalid. `None`: it is valid and ended, by a
/// newline, a line `...` or a comment `# end`.
pub(crate) fn unfinished(text: &str) -> Option<String> {
    let mut lines = text.trim_end_matches(['\n', '\r']).rsplit(['\n', '\r']);
    let last = lines.next().unwrap_or_default().trim_end();
    if let Err(problem) = yaml::parse(text) {
        return Some(format!("it is not valid YAML: {problem}"));
    }
    let is_ended = text.ends_with(['\n', '\r']) || last == "..." || last.ends_with("# end");
    (!is_ended).then(|| "it does not end in a newline".to_owned())
}

/// Whether a process has the file open for writing; `false` if that can't be known.
pub(crate) fn is_open_for_writing(path: &Path) -> bool {
    open(path).is_ok_and(|file| file::is_open_for_writing(&file) == Some(true))
}

/// Opens a regular file without ever blocking on it.
pub(crate) fn open(path: &Path) -> Result<File, ReadError> {
    let kind = kind(&path.symlink_metadata()?);
    if let Some(kind) = kind {
        return Err(ReadError::NotRegular { kind });
    }
    // The flags guard against a swap after the look above.
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW | OFlag::O_NOCTTY;
    let file = File::options()
        .read(true)
        .custom_flags(flags.bits())
        .open(path)?;
    Ok(file)
}

/// What the file is, unless it is a regular one.
fn kind(metadata: &Metadata) -> Option<&'static str> {
    use std::os::unix::fs::FileTypeExt;
    let file_type = metadata.file_type();
    match () {
        () if file_type.is_file() => None,
        () if file_type.is_symlink() => Some("a symbolic link"),
        () if file_type.is_dir() => Some("a folder"),
        () if file_type.is_fifo() => Some("a named pipe"),
        () if file_type.is_socket() => Some("a socket"),
        () => Some("a device"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_03_the_end_of_a_file_is_a_newline_dots_or_a_comment() {
        for text in [
            "a: 1\n",
            "a: 1\r",
            "a: 1\r\n",
            "a: 1\n...",
            "a: 1\r...",
            "a: 1\n# end",
        ] {
            assert_eq!(unfinished(text), None, "{text:?}");
        }
        for text in ["", "a: 1", "a: 'end", "a: \"...\n"] {
            assert_ne!(unfinished(text), None, "{text:?}");
        }
    }
}
