//! A file that is either there, whole and on the disk, or not there.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

/// Puts `bytes` at `path`, replacing what was there. After a failure, a full disk above all, what was there still is,
/// and nothing else.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("part");
    let written = File::create(&unfinished).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let placed = written.and_then(|()| fs::rename(&unfinished, path));
    if placed.is_err() {
        // A full disk is not kept full; a file that was never made can't be removed.
        let _ = fs::remove_file(&unfinished);
    }
    placed?;
    sync_folder(path.parent().expect("a file is in a folder"))
}

/// The lines that `parse` finds in the file at `path`; none if there is no file. A damaged one, of which `parse` says what is
/// wrong, is set aside; `what` names its lines, in the plural.
pub(crate) fn read_lines<L>(
    path: &Path,
    what: &str,
    parse: impl FnOnce(&[u8]) -> Result<Vec<L>, String>,
) -> io::Result<Vec<L>> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        bytes => bytes?,
    };
    Ok(parse(&bytes).unwrap_or_else(|reason| {
        tracing::warn!(path = %path.display(), reason, "{what} are damaged and set aside");
        if let Err(error) = fs::rename(path, path.with_extension("json.damaged")) {
            tracing::warn!(path = %path.display(), %error, "can't set aside");
        }
        vec![]
    }))
}

/// Makes the names in a folder durable, where that can be asked for: some shares write them by themselves, and refuse.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        synced => synced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.json");
        write(&path, b"first").unwrap();
        write(&path, b"second").unwrap();
        fs::create_dir(path.with_extension("part")).unwrap();
        write(&path, b"third").unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), b"second");
    }
}
