//! Where videos go: folders below the outputs folder, without following links out of it, and names (`reservation`).

mod names;
mod promise;
mod reservation;

use std::{
    fs::File,
    io,
    os::fd::AsFd,
    path::{Path, PathBuf},
};

use framepack_jobs::{Code, Failure};
use nix::{
    errno::Errno,
    fcntl::{OFlag, OpenHow, ResolveFlag, openat2},
    sys::stat::{Mode, mkdirat},
};
use thiserror::Error;

pub(crate) use names::Names;
pub(crate) use reservation::{Owner, Reservation, Video, exists};

/// Why there is no folder for a video.
#[derive(Debug, Error)]
pub(crate) enum FolderError {
    #[error("{path} is a symbolic link or not a folder")]
    Link { path: PathBuf },
    #[error("opening {path}: {error}")]
    Open { path: PathBuf, error: io::Error },
    #[error("creating {path}: {error}")]
    Create { path: PathBuf, error: io::Error },
    #[error("reserving the name of {path}: {error}")]
    Reservation { path: PathBuf, error: io::Error },
}

impl FolderError {
    /// Whether the file system may have refused a name for what is in it: each has an error of its own for that.
    pub(crate) fn is_of_the_name(&self) -> bool {
        let (Self::Create { path, error } | Self::Reservation { path, error }) = self else {
            return false;
        };
        match Errno::from_raw(error.raw_os_error().unwrap_or_default()) {
            Errno::EINVAL | Errno::EILSEQ | Errno::ENAMETOOLONG => true,
            // It is of the folder where that is gone.
            Errno::ENOENT => path.parent().is_some_and(Path::is_dir),
            _ => false,
        }
    }

    /// The failure of the job whose video was to go there.
    pub(crate) fn into_failure(self) -> Failure {
        let code = match &self {
            Self::Link { .. } => Code::OUTPUT_LINK,
            error if error.is_of_the_name() => Code::OUTPUT_NAME_REFUSED,
            Self::Open { .. } | Self::Create { .. } | Self::Reservation { .. } => {
                Code::OUTPUT_FOLDER
            }
        };
        Failure::new(code, format!("output.dir: {self}"))
    }
}

/// Makes the folder `below` the outputs folder, as far as it is not there.
pub(crate) fn make_folder(outputs: &Path, below: &Path) -> Result<(), FolderError> {
    let create = |path: &Path, error: io::Error| FolderError::Create {
        path: path.to_owned(),
        error,
    };
    let mut path = outputs.to_owned();
    let mut folder = File::open(outputs).map_err(|error| FolderError::Open {
        path: path.clone(),
        error,
    })?;
    for name in below {
        path.push(name);
        match mkdirat(folder.as_fd(), name, Mode::from_bits_truncate(0o777)) {
            Ok(()) | Err(Errno::EEXIST) => {}
            Err(errno) => return Err(create(&path, errno.into())),
        }
        let how = OpenHow::new()
            .flags(OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS);
        folder = match openat2(folder.as_fd(), name, how) {
            Ok(opened) => opened.into(),
            Err(Errno::ELOOP | Errno::ENOTDIR) => return Err(FolderError::Link { path }),
            Err(errno) => return Err(create(&path, errno.into())),
        };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn folders_are_made_and_links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (outputs, elsewhere) = (dir.path().join("outputs"), dir.path().join("elsewhere"));
        fs::create_dir_all(outputs.join("a")).unwrap();
        fs::create_dir(&elsewhere).unwrap();
        symlink(&elsewhere, outputs.join("link")).unwrap();
        symlink("a", outputs.join("inside")).unwrap();
        fs::write(outputs.join("file"), "").unwrap();

        make_folder(&outputs, Path::new("")).unwrap();
        make_folder(&outputs, Path::new("a/b/c")).unwrap();
        assert!(outputs.join("a/b/c").is_dir());
        for below in ["link", "link/b", "inside/b", "file", "file/b"] {
            let failure = make_folder(&outputs, Path::new(below)).unwrap_err();
            assert_eq!(failure.into_failure().code, "FP2206", "{below}");
        }
        assert_eq!(fs::read_dir(elsewhere).unwrap().count(), 0);
    }
}
