//! Files that people write: read whole, and every mistake told with the file's name.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{Problem, ProblemKind, Problems, decode};

/// Why a file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It can't be read.
    #[error("reading {path}: {error}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// It can be read, but not used.
    #[error("{path}:\n{problems}", path = path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Everything that is wrong.
        problems: Problems,
    },
}

/// What `parse` makes of the file's text.
pub fn read<T>(
    path: &Path,
    parse: impl FnOnce(&str) -> Result<T, Problems>,
) -> Result<T, FileError> {
    let bytes = fs::read(path).map_err(|error| FileError::Unreadable {
        path: path.to_owned(),
        error,
    })?;
    let text = decode(&bytes)
        .map_err(|error| Problems::from(Problem::new(ProblemKind::Syntax, "", error.to_string())));
    text.and_then(|text| parse(&text))
        .map_err(|problems| FileError::Invalid {
            path: path.to_owned(),
            problems,
        })
}

/// The same, where there need not be a file.
pub fn read_if_present<T>(
    path: &Path,
    parse: impl FnOnce(&str) -> Result<T, Problems>,
) -> Result<Option<T>, FileError> {
    match read(path, parse) {
        Ok(value) => Ok(Some(value)),
        Err(FileError::Unreadable { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
