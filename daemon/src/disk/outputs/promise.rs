//! The mark of a reservation on the disk: who has a name.
//!
//! A symbolic link to nothing whose target is the owner, because a link is made whole or not at all; where there are no
//! links (FAT, exFAT, many shares), a file that contains the owner. Both keep everybody else from making either.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::symlink,
    path::Path,
    time::{Duration, SystemTime},
};

/// A file that still says nothing after this long was made by somebody who did not live to write into it.
const EMPTY_FOR: Duration = Duration::from_mins(10);
/// More than an owner's name takes.
const MAX_BYTES: u64 = 4096;

/// What came of marking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marked {
    /// It was made now.
    Made,
    /// It is there already.
    Exists,
}

/// Makes the mark of `owner` at `path`, if there is none.
pub(super) fn make(path: &Path, owner: &str) -> io::Result<Marked> {
    match symlink(owner, path) {
        Ok(()) => return Ok(Marked::Made),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return exists(path, owner),
        // Each file system has its own word for what it does not have; if it is about the name, the file fails, too.
        Err(_) => {}
    }
    match make_file(path, owner) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => exists(path, owner),
        made => made.map(|()| Marked::Made),
    }
}

/// Whoever has it; `None` if it is not there, or says nothing that can be read.
pub(super) fn owner(path: &Path) -> Option<String> {
    if let Ok(target) = fs::read_link(path) {
        return target.into_os_string().into_string().ok();
    }
    let mut text = String::new();
    let file = File::open(path).ok()?;
    file.take(MAX_BYTES).read_to_string(&mut text).ok()?;
    let text = text.trim_end();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The mark is there: that of a crash, which says nothing, makes room.
fn exists(path: &Path, owner: &str) -> io::Result<Marked> {
    if !is_of_a_crash(path) {
        return Ok(Marked::Exists);
    }
    fs::remove_file(path)?;
    match make_file(path, owner) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Marked::Exists),
        made => made.map(|()| Marked::Made),
    }
}

fn make_file(path: &Path, owner: &str) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    let written = writeln!(file, "{owner}").and_then(|()| file.sync_all());
    if written.is_err() {
        // Nobody is to wait for what says nothing.
        let _ = fs::remove_file(path);
        return written;
    }
    // Whoever took it for that of a crash has made another one.
    if self::owner(path).as_deref() == Some(owner) {
        return Ok(());
    }
    Err(ErrorKind::AlreadyExists.into())
}

fn is_of_a_crash(path: &Path) -> bool {
    let Ok(metadata) = path.symlink_metadata() else {
        return false;
    };
    let age = metadata
        .modified()
        .ok()
        .and_then(|written| SystemTime::now().duration_since(written).ok());
    metadata.is_file() && metadata.len() == 0 && age.is_some_and(|age| age >= EMPTY_FOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_and_a_file_say_the_same_and_exclude_each_other() {
        let dir = tempfile::tempdir().unwrap();
        let (link, file) = (dir.path().join("link"), dir.path().join("file"));
        assert_eq!(make(&link, "a:1").unwrap(), Marked::Made);
        assert!(link.is_symlink(), "as earlier versions make and read it");
        make_file(&file, "a:1").unwrap();
        for path in [&link, &file] {
            assert_eq!(owner(path).as_deref(), Some("a:1"));
            assert_eq!(make(path, "b:1").unwrap(), Marked::Exists);
            assert!(make_file(path, "b:1").is_err());
            assert_eq!(owner(path).as_deref(), Some("a:1"));
        }
        assert_eq!(owner(&dir.path().join("none")), None);
    }

    #[test]
    fn a_file_without_an_owner_is_somebodys_until_it_is_old() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let file = File::create(&path).unwrap();
        assert_eq!(make(&path, "a:1").unwrap(), Marked::Exists);
        assert_eq!(owner(&path), None);
        file.set_modified(SystemTime::now() - EMPTY_FOR).unwrap();
        assert_eq!(make(&path, "a:1").unwrap(), Marked::Made);
        assert_eq!(owner(&path).as_deref(), Some("a:1"));
    }
}
