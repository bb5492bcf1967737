//! A copy of a bundle, for a folder out of which nothing is moved.

use std::{
    fs::{self, File},
    io::{self, Read},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{error::BundleError, limits::MAX_BYTES, survey::Survey};
use crate::{
    file::sync_dir,
    folder::dropped::{Form, is_leftover, open},
};

/// SHA-256 of the names and the contents of a bundle's files, in hexadecimal.
pub(crate) fn digest(path: &Path, form: Form) -> Result<String, BundleError> {
    let mut hash = Sha256::new();
    for (file, name) in files(path, form)? {
        let mut content = Sha256::new();
        read(&file, &mut content)?;
        hash.update(name.as_os_str().as_bytes());
        hash.update([0]);
        hash.update(content.finalize());
    }
    Ok(format!("{:x}", hash.finalize()))
}

/// Copies a bundle, durably but for its name.
pub(crate) fn copy(path: &Path, form: Form, to: &Path) -> Result<(), BundleError> {
    let failed = |error| BundleError::Unpack {
        path: to.to_owned(),
        error,
    };
    for (file, name) in files(path, form)? {
        // Not `join`, which makes a folder of a path without a name below it.
        let target: PathBuf = to.iter().chain(name.iter()).collect();
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut copy = File::create(&target).map_err(failed)?;
        read(&file, &mut copy)?;
        copy.sync_all().map_err(failed)?;
        for folder in target
            .ancestors()
            .skip(1)
            .take_while(|folder| folder.starts_with(to))
        {
            sync_dir(folder).map_err(failed)?;
        }
    }
    Ok(())
}

/// The files of a bundle with their names in it, in their order; that of an archive has none.
fn files(path: &Path, form: Form) -> Result<Vec<(PathBuf, PathBuf)>, BundleError> {
    if form != Form::Folder {
        return Ok(vec![(path.to_owned(), PathBuf::new())]);
    }
    Survey::of(path)?;
    let (mut files, mut folders) = (Vec::new(), vec![path.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| damaged(&error))? {
            let entry = entry.map_err(|error| damaged(&error))?;
            if is_leftover(&entry.file_name()) {
                continue;
            }
            let (found, kind) = (entry.path(), entry.file_type());
            if kind.is_ok_and(|kind| kind.is_dir()) {
                folders.push(found);
            } else if let Ok(name) = found.strip_prefix(path) {
                files.push((found.clone(), name.to_owned()));
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Reads a regular file, within the limit.
fn read(file: &Path, into: &mut impl io::Write) -> Result<u64, BundleError> {
    let file = open(file).map_err(|error| damaged(&error))?;
    let mut limited = file.take(MAX_BYTES + 1);
    let bytes = io::copy(&mut limited, into).map_err(|error| damaged(&error))?;
    if bytes > MAX_BYTES {
        return Err(BundleError::TooLarge);
    }
    Ok(bytes)
}

fn damaged(error: &impl ToString) -> BundleError {
    BundleError::Damaged {
        reason: error.to_string(),
    }
}
