//! A video put where a user wants it: whole or not at all, and over nothing that is there.

use std::{
    env,
    ffi::{OsStr, OsString},
    fmt,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use framepack_ipc::ErrorBody;
use framepack_jobs::Code;
use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, RenameFlags, renameat2},
};

/// How the video gets there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// It stays where it is, too.
    Copy,
    /// It need not stay.
    Move,
}

/// What happens to a file of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    Keep,
    Replace,
}

/// Where a video goes.
#[derive(Debug)]
pub(crate) struct Target {
    folder: PathBuf,
    /// `None`: the video's own, or one like it that is free.
    name: Option<OsString>,
    existing: Existing,
}

impl Target {
    /// A file, or a folder, that can be written.
    pub(crate) fn new(path: &Path, existing: Existing) -> Result<Self, ErrorBody> {
        let ends_in_slash = path.as_os_str().as_encoded_bytes().ends_with(b"/");
        let path = std::path::absolute(path).map_err(|error| unwritable(path, &error))?;
        if path.is_dir() {
            return Self::in_folder(&path, existing);
        }
        let is_video = path
            .extension()
            .is_some_and(|suffix| suffix.eq_ignore_ascii_case("mp4"));
        if ends_in_slash {
            let error = unwritable(&path, &io::ErrorKind::NotFound.into());
            return Err(error.hint("make the folder, or name one that is there"));
        }
        if !is_video {
            return Err(no_video(&path));
        }
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            let error = io::Error::from(io::ErrorKind::InvalidFilename);
            return Err(unwritable(&path, &error));
        };
        if existing == Existing::Keep && path.symlink_metadata().is_ok() {
            return Err(exists(&path).hint("choose another name, or replace it with `--force`"));
        }
        if path.metadata().is_ok_and(|there| !there.is_file()) {
            return Err(
                exists(&path).hint("it is no file, and is not replaced: choose another name")
            );
        }
        let target = Self::in_folder(folder, existing)?;
        Ok(Self {
            name: Some(name.to_owned()),
            ..target
        })
    }

    /// The working directory.
    pub(crate) fn here() -> Result<Self, ErrorBody> {
        let here = env::current_dir().map_err(|error| unwritable(Path::new("."), &error))?;
        Self::in_folder(&here, Existing::Keep)
    }

    /// Where a video of this name is wanted, unless it is there already.
    pub(crate) fn path_of(&self, video: &Path) -> PathBuf {
        let name = self.name.as_deref().or(video.file_name());
        self.folder.join(name.unwrap_or_default())
    }

    /// The file, or the folder.
    pub(crate) fn path(&self) -> PathBuf {
        let name = self.name.as_ref();
        name.map_or_else(|| self.folder.clone(), |name| self.folder.join(name))
    }

    /// What `run` is told to deliver there, too.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let path = self.path();
        let force = (self.existing == Existing::Replace).then(|| "--force".into());
        ["--output".into(), path.into()]
            .into_iter()
            .chain(force)
            .collect()
    }

    /// Tries the folder before anything is rendered for it.
    fn in_folder(named: &Path, existing: Existing) -> Result<Self, ErrorBody> {
        let trial = part(named, OsStr::new("trial"));
        let tried = File::create_new(&trial).and_then(|_| fs::remove_file(&trial));
        let folder = tried.and_then(|()| named.canonicalize());
        Ok(Self {
            folder: folder.map_err(|error| unwritable(named, &error))?,
            name: None,
            existing,
        })
    }

    /// Puts the video there. Returns its path.
    pub(crate) fn put(&self, video: &Path, how: How) -> Result<PathBuf, ErrorBody> {
        let stays = |error: ErrorBody| error.hint(format!("the video is {}", video.display()));
        if let Some(name) = &self.name {
            let path = self.folder.join(name);
            let put = put(video, &path, how, self.existing);
            return put
                .map(|()| path.clone())
                .map_err(|error| stays(failed(&path, &error)));
        }
        for number in 1_u32.. {
            let path = self.folder.join(numbered(video, number));
            match put(video, &path, how, self.existing) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(stays(failed(&path, &error))),
                Ok(()) => return Ok(path),
            }
        }
        unreachable!("no folder has as many files as there are numbers")
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path().display().fmt(f)
    }
}

/// A name that is neither a folder's nor a video's.
fn no_video(path: &Path) -> ErrorBody {
    let video = path.with_extension("mp4");
    let path = path.display().to_string();
    let message = format!("{path} is neither a folder that is there nor the name of an mp4 file");
    let hint = format!(
        "make the folder, or name the video as in {}",
        video.display()
    );
    ErrorBody::new(Code::USAGE, message).path(path).hint(hint)
}

/// `cat-7.mp4`, `cat-7-2.mp4`, …
fn numbered(video: &Path, number: u32) -> OsString {
    let mut name = video.file_stem().unwrap_or_default().to_owned();
    if number > 1 {
        name.push(format!("-{number}"));
    }
    if let Some(extension) = video.extension() {
        name.push(".");
        name.push(extension);
    }
    name
}

fn put(video: &Path, path: &Path, how: How, existing: Existing) -> io::Result<()> {
    if how == How::Move {
        match rename(video, path, existing) {
            // It lies on another file system.
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {}
            renamed => return renamed,
        }
    }
    if existing == Existing::Keep && path.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let folder = path.parent().unwrap_or(Path::new("/"));
    let part = part(folder, path.file_name().unwrap_or_default());
    let copied = copy(video, &part).and_then(|()| rename(&part, path, existing));
    if copied.is_err() {
        // What matters is why it could not be copied.
        let _ = fs::remove_file(&part);
    }
    copied
}

/// A hidden name that nobody else uses.
fn part(folder: &Path, name: &OsStr) -> PathBuf {
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.part", std::process::id()));
    folder.join(hidden)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    File::open(to)?.sync_all()
}

fn rename(from: &Path, to: &Path, existing: Existing) -> io::Result<()> {
    if existing == Existing::Replace {
        return fs::rename(from, to);
    }
    match renameat2(AT_FDCWD, from, AT_FDCWD, to, RenameFlags::RENAME_NOREPLACE) {
        // Some file systems can't promise it: then a look has to do.
        Err(Errno::EINVAL | Errno::ENOSYS) if to.symlink_metadata().is_ok() => {
            Err(io::ErrorKind::AlreadyExists.into())
        }
        Err(Errno::EINVAL | Errno::ENOSYS) => fs::rename(from, to),
        renamed => renamed.map_err(io::Error::from),
    }
}

fn failed(path: &Path, error: &io::Error) -> ErrorBody {
    match error.kind() {
        io::ErrorKind::AlreadyExists => exists(path),
        _ => unwritable(path, error),
    }
}

pub(crate) fn exists(path: &Path) -> ErrorBody {
    let path = path.display().to_string();
    ErrorBody::new(Code::FILE_EXISTS, format!("{path} exists")).path(path)
}

pub(crate) fn unwritable(path: &Path, error: &io::Error) -> ErrorBody {
    let path = path.display().to_string();
    ErrorBody::new(Code::UNWRITABLE_FILE, format!("writing {path}: {error}")).path(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn video(folder: &Path, text: &str) -> PathBuf {
        let video = folder.join("cat-7.mp4");
        fs::write(&video, text).unwrap();
        video
    }

    #[test]
    fn an_existing_file_is_kept_or_replaced_as_asked() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = to.path().join("mine.mp4");
        for how in [How::Copy, How::Move] {
            let video = video(from.path(), "new");
            let target = Target::new(&path, Existing::Keep).unwrap();
            fs::write(&path, "old").unwrap();
            let refused = Target::new(&path, Existing::Keep).unwrap_err();
            assert_eq!(refused.code, Code::FILE_EXISTS);
            // It came after the first look.
            let refused = target.put(&video, how).unwrap_err();
            let hint = format!("the video is {}", video.display());
            assert_eq!(refused.hint, Some(hint));
            assert_eq!(fs::read_to_string(&path).unwrap(), "old");
            let target = Target::new(&path, Existing::Replace).unwrap();
            assert_eq!(target.put(&video, how).unwrap(), path);
            assert_eq!(fs::read_to_string(&path).unwrap(), "new");
            assert_eq!(video.exists(), how == How::Copy);
            fs::remove_file(&path).unwrap();
            assert_eq!(fs::read_dir(to.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn in_a_folder_a_free_name_is_found() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let target = Target::new(to.path(), Existing::Keep).unwrap();
        for name in ["cat-7.mp4", "cat-7-2.mp4", "cat-7-3.mp4"] {
            let put = target.put(&video(from.path(), "new"), How::Move).unwrap();
            assert_eq!(put, to.path().join(name));
        }
    }

    #[test]
    fn a_name_that_no_video_has_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["x.mkv", "x"] {
            let refused = Target::new(&folder.path().join(name), Existing::Keep).unwrap_err();
            assert_eq!(refused.code, Code::USAGE, "{name}");
        }
    }

    #[test]
    fn a_folder_that_is_missing_is_told_before_anything_is_rendered() {
        for missing in ["/nonexistent/folder/out.mp4", "/nonexistent/folder/"] {
            let refused = Target::new(Path::new(missing), Existing::Keep).unwrap_err();
            assert_eq!(refused.code, Code::UNWRITABLE_FILE);
        }
    }
}
