//! Files that a job names: opened beneath the configured roots without following links out of them,
//! and copied into the state directory, so that what was checked is what is rendered.

use std::{
    fs::{self, File},
    io,
    os::fd::{AsFd, OwnedFd},
    path::{Component, Path, PathBuf},
};

use framepack_jobs::{Failure, FailureClass};
use nix::{
    errno::Errno,
    fcntl::{OFlag, OpenHow, ResolveFlag, openat2},
};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::spool::{random_id, sync_dir};

/// Largest image taken; the largest sensible one (64 megapixels, TIFF with 16 bits a channel) is smaller.
const MAX_INPUT_BYTES: u64 = 512 << 20;

/// The folders beneath which a job may read, and where copies go.
#[derive(Debug, Clone)]
pub(crate) struct Inputs {
    roots: Vec<PathBuf>,
    copies: PathBuf,
}

/// A job's own copy of its start image.
#[derive(Debug)]
pub(crate) struct InputCopy {
    pub(crate) path: PathBuf,
    /// SHA-256 of its content, in hexadecimal.
    pub(crate) sha256: String,
}

/// Why a file can't be an input.
#[derive(Debug, Error)]
pub(crate) enum InputError {
    #[error("{path} does not exist")]
    Missing { path: PathBuf },
    #[error("{path} lies outside the folders that jobs may read ({})", list(.roots))]
    Outside { path: PathBuf, roots: Vec<PathBuf> },
    #[error("{path} is a symbolic link or lies behind one")]
    Link { path: PathBuf },
    #[error("{path} is not a regular file")]
    NotRegular { path: PathBuf },
    #[error("{path} has {found} bytes, more than the {MAX_INPUT_BYTES} that are read")]
    TooLarge { path: PathBuf, found: u64 },
    #[error("reading {path}: {error}")]
    Read { path: PathBuf, error: io::Error },
    #[error("copying {path} into the state directory: {error}")]
    Copy { path: PathBuf, error: io::Error },
}

fn list(roots: &[PathBuf]) -> String {
    let roots: Vec<_> = roots
        .iter()
        .map(|root| root.display().to_string())
        .collect();
    roots.join(", ")
}

impl InputError {
    /// The failure of the job that named the file.
    pub(crate) fn into_failure(self, key: &str) -> Failure {
        use FailureClass::{Input, Io, Policy};
        let (class, code, hint) = match &self {
            Self::Missing { .. } => (
                Input,
                "FP2301",
                "copy the image there first, then drop the job again; paths are relative to the folder of the job file",
            ),
            Self::Outside { .. } => (
                Policy,
                "FP2201",
                "move the image beneath one of these folders, or add its folder to paths.inputs in the daemon's configuration",
            ),
            Self::Link { .. } => (
                Policy,
                "FP2202",
                "put the image itself there instead of a link to it",
            ),
            Self::NotRegular { .. } => (Policy, "FP2203", "name a regular image file"),
            Self::TooLarge { .. } => (
                Input,
                "FP2302",
                "use a smaller image: the video has about 640x640 pixels",
            ),
            Self::Read { .. } => (
                Io,
                "FP5012",
                "check that the daemon's user may read the file",
            ),
            Self::Copy { .. } => (Io, "FP5011", "check the free space of paths.state"),
        };
        Failure {
            class,
            code: code.to_owned(),
            message: format!("{key}: {self}"),
            hint: Some(hint.to_owned()),
        }
    }
}

impl Inputs {
    pub(crate) fn new(roots: Vec<PathBuf>, copies: PathBuf) -> Self {
        Self { roots, copies }
    }

    /// Opens `wanted` (relative to `base`) by the rules and copies it; the copy belongs to one job.
    pub(crate) fn copy(&self, base: &Path, wanted: &Path) -> Result<InputCopy, InputError> {
        // The folder itself may lie behind a link; what the job names below it may not.
        let base = base.canonicalize().unwrap_or_else(|_| base.to_owned());
        let path = normalise(&base.join(wanted));
        let mut source = self.open(&path)?;
        let metadata = source.metadata().map_err(|error| InputError::Read {
            path: path.clone(),
            error,
        })?;
        if !metadata.is_file() {
            return Err(InputError::NotRegular { path });
        }
        if metadata.len() > MAX_INPUT_BYTES {
            return Err(InputError::TooLarge {
                path,
                found: metadata.len(),
            });
        }
        self.copy_of(&mut source, &path)
    }

    fn open(&self, path: &Path) -> Result<File, InputError> {
        let Some((root, below)) = self.root_of(path) else {
            return Err(InputError::Outside {
                path: path.to_owned(),
                roots: self.roots.clone(),
            });
        };
        open_beneath(root, below)
            .map(File::from)
            .map_err(|errno| match errno {
                Errno::ENOENT | Errno::ENOTDIR => InputError::Missing {
                    path: path.to_owned(),
                },
                Errno::ELOOP => InputError::Link {
                    path: path.to_owned(),
                },
                // A socket, or a device without a driver.
                Errno::ENXIO | Errno::ENODEV => InputError::NotRegular {
                    path: path.to_owned(),
                },
                errno => InputError::Read {
                    path: path.to_owned(),
                    error: errno.into(),
                },
            })
    }

    /// The first root above the path, and the rest of the path below it.
    fn root_of<'a>(&'a self, path: &'a Path) -> Option<(&'a Path, &'a Path)> {
        let below = |root: &'a PathBuf| {
            path.strip_prefix(root)
                .ok()
                .map(|below| (root.as_path(), below))
        };
        self.roots
            .iter()
            .find_map(below)
            .filter(|(_, below)| !below.as_os_str().is_empty())
    }

    /// Copies an open file; when that fails, nothing of the copy stays.
    fn copy_of(&self, source: &mut File, path: &Path) -> Result<InputCopy, InputError> {
        let failed = |error| InputError::Copy {
            path: path.to_owned(),
            error,
        };
        let extension = path
            .extension()
            .and_then(|e| e.to_str())
            .unwrap_or("img")
            .to_ascii_lowercase();
        let name = format!("{}.{extension}", random_id().map_err(failed)?);
        let copy = self.copies.join(name);
        match self.fill(&copy, source) {
            Ok(sha256) => Ok(InputCopy { path: copy, sha256 }),
            Err(error) => {
                remove(&copy);
                Err(failed(error))
            }
        }
    }

    /// Writes the copy, durably; returns the SHA-256 of what can be read back of it.
    fn fill(&self, copy: &Path, source: &mut File) -> io::Result<String> {
        let mut target = File::create_new(copy)?;
        io::copy(source, &mut target)?;
        target.sync_all()?;
        sync_dir(&self.copies)?;
        let mut hash = Sha256::new();
        io::copy(&mut File::open(copy)?, &mut hash)?;
        Ok(format!("{:x}", hash.finalize()))
    }

    /// Removes every copy that none of `needed` is: left by a daemon that died between copying and storing.
    pub(crate) fn keep_only(&self, needed: &[&Path]) -> io::Result<()> {
        for entry in fs::read_dir(&self.copies)? {
            let path = entry?.path();
            if !needed.contains(&path.as_path()) {
                remove(&path);
            }
        }
        Ok(())
    }
}

/// Removes a copy whose job has ended or never came to be.
pub(crate) fn remove(copy: &Path) {
    if let Err(error) = fs::remove_file(copy)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %copy.display(), %error, "removing an input that is no longer needed");
    }
}

/// Opens a file below a folder; the kernel refuses to leave the folder or to follow any link on the way.
fn open_beneath(root: &Path, below: &Path) -> Result<OwnedFd, Errno> {
    let root = File::open(root)
        .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or_default()))?;
    let how = OpenHow::new()
        // Non-blocking: opening a FIFO that nobody writes would hang.
        .flags(OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC | OFlag::O_NOCTTY)
        .resolve(
            ResolveFlag::RESOLVE_BENEATH
                | ResolveFlag::RESOLVE_NO_SYMLINKS
                | ResolveFlag::RESOLVE_NO_MAGICLINKS,
        );
    openat2(root.as_fd(), below, how)
}

/// Removes `.` and `..` by name alone. Right here because links are refused when the path is opened.
fn normalise(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use nix::{sys::stat::Mode, unistd::mkfifo};

    use super::*;

    struct Folders {
        dir: tempfile::TempDir,
        inputs: Inputs,
    }

    fn folders() -> Folders {
        let dir = tempfile::tempdir().unwrap();
        for name in ["jobs/inputs", "secret", "copies"] {
            fs::create_dir_all(dir.path().join(name)).unwrap();
        }
        fs::write(dir.path().join("jobs/inputs/a.PNG"), "image").unwrap();
        fs::write(dir.path().join("secret/a.png"), "secret").unwrap();
        let inputs = Inputs::new(vec![dir.path().join("jobs")], dir.path().join("copies"));
        Folders { dir, inputs }
    }

    impl Folders {
        fn copy(&self, wanted: &str) -> Result<InputCopy, InputError> {
            self.inputs
                .copy(&self.dir.path().join("jobs"), Path::new(wanted))
        }

        fn code(&self, wanted: &str) -> String {
            self.copy(wanted)
                .unwrap_err()
                .into_failure("start.image")
                .code
        }
    }

    #[test]
    fn a_file_beneath_a_root_is_copied() {
        let folders = folders();
        let InputCopy { path: copy, sha256 } = folders.copy("./inputs/../inputs/a.PNG").unwrap();
        assert_eq!(fs::read(&copy).unwrap(), b"image");
        assert_eq!(sha256, format!("{:x}", Sha256::digest("image")));
        assert_eq!(copy.extension().unwrap(), "png");
        folders.inputs.keep_only(&[&copy]).unwrap();
        assert!(copy.exists());
        folders.inputs.keep_only(&[]).unwrap();
        assert!(!copy.exists());
    }

    #[test]
    fn a_copy_that_fails_leaves_nothing() {
        let folders = folders();
        // Opening a folder works and reading it does not: the error comes when the copy is there.
        let mut unreadable = File::open(folders.dir.path()).unwrap();
        let failed = folders.inputs.copy_of(&mut unreadable, Path::new("a.png"));
        assert_eq!(
            failed.unwrap_err().into_failure("start.image").code,
            "FP5011"
        );
        let copies = fs::read_dir(folders.dir.path().join("copies")).unwrap();
        assert_eq!(copies.count(), 0);
    }

    #[test]
    fn nothing_outside_the_roots_is_read() {
        let folders = folders();
        let absolute = folders.dir.path().join("secret/a.png");
        assert_eq!(folders.code(absolute.to_str().unwrap()), "FP2201");
        assert_eq!(folders.code("../secret/a.png"), "FP2201");
        assert_eq!(folders.code("."), "FP2201");
        assert_eq!(folders.code("inputs/b.png"), "FP2301");
        assert_eq!(folders.code("inputs/a.PNG/b.png"), "FP2301");
    }

    #[test]
    fn links_are_not_followed_and_pipes_are_not_waited_for() {
        let folders = folders();
        let jobs = folders.dir.path().join("jobs");
        symlink(
            folders.dir.path().join("secret/a.png"),
            jobs.join("link.png"),
        )
        .unwrap();
        symlink(folders.dir.path().join("secret"), jobs.join("linked")).unwrap();
        mkfifo(&jobs.join("pipe.png"), Mode::S_IRWXU).unwrap();
        assert_eq!(folders.code("link.png"), "FP2202");
        assert_eq!(folders.code("linked/a.png"), "FP2202");
        assert_eq!(folders.code("pipe.png"), "FP2203");
        assert_eq!(folders.code("inputs"), "FP2203");
    }
}
