//! Files that a job names: opened beneath the configured roots without following links out of them,
//! on their file system and regular, and copied into the state directory, so that what was checked is what is
//! rendered, whatever happens to the original.
//!
//! Between looking at an image and copying it nothing stays open: what goes from one to the other is plain data.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, BufReader},
    os::{fd::AsFd, unix::fs::FileExt},
    path::{Component, Path, PathBuf},
};

use framepack_jobs::picture::{self, Header, Unfit};
use nix::{
    errno::Errno,
    fcntl::{OFlag, OpenHow, ResolveFlag, openat2},
};

use super::{
    error::{InputError, MAX_INPUT_BYTES},
    spelling,
};
use crate::{
    file::{FileState, copy_with, is_open_for_writing, sha256_of, sync_dir},
    record::random_id,
};

/// The folders beneath which a job may read, and where copies go.
#[derive(Debug, Clone)]
pub(crate) struct Inputs {
    roots: Vec<PathBuf>,
    copies: PathBuf,
}

/// A file that may be a job's input, as it was when it was looked at.
#[derive(Debug, Clone)]
pub(crate) struct ImageLook {
    /// As the user named it, absolute.
    pub(crate) path: PathBuf,
    /// The folder beneath which it was found.
    pub(super) root: PathBuf,
    pub(crate) state: FileState,
    /// Whether somebody writes to it; `false` if that can't be known.
    pub(crate) is_open: bool,
}

/// A job's own copy of its start image.
#[derive(Debug, Clone)]
pub(crate) struct InputCopy {
    pub(crate) path: PathBuf,
    /// SHA-256 of its content, in hexadecimal.
    pub(crate) sha256: String,
    /// What its header tells.
    pub(crate) header: Header,
}

/// A copy that is removed again unless it is finished.
#[derive(Debug)]
pub(super) struct NewCopy {
    path: PathBuf,
    /// What it is a copy of.
    source: PathBuf,
    is_finished: bool,
}

impl NewCopy {
    /// Syncs the content, looks at it, and hashes what can be read back. The name is durable after [`Inputs::sync`].
    pub(super) fn finish(mut self) -> Result<InputCopy, InputError> {
        let finish = || {
            let file = File::open(&self.path)?;
            file.sync_all()?;
            match picture::examine(BufReader::new(file))? {
                Ok(header) => Ok(Ok((header, sha256_of(&self.path)?))),
                Err(unfit) => Ok(Err(unfit)),
            }
        };
        let finished = finish().map_err(|error| InputError::Copy {
            path: self.path.clone(),
            error,
        })?;
        let (header, sha256) = finished.map_err(|unfit| InputError::Unfit {
            path: self.source.clone(),
            unfit,
        })?;
        self.is_finished = true;
        Ok(InputCopy {
            path: self.path.clone(),
            sha256,
            header,
        })
    }
}

impl Drop for NewCopy {
    fn drop(&mut self) {
        if !self.is_finished {
            remove(&self.path);
        }
    }
}

impl Inputs {
    pub(crate) fn new(roots: Vec<PathBuf>, copies: PathBuf) -> Self {
        Self { roots, copies }
    }

    /// The same, with one more folder beneath which may be read.
    pub(crate) fn also_in(mut self, root: &Path) -> Self {
        self.roots.push(root.to_owned());
        self
    }

    /// Looks at `wanted` (relative to `base`, which has no links) by the rules; where there is nothing, at what another
    /// system writes so.
    pub(crate) fn look(&self, base: &Path, wanted: &Path) -> Result<ImageLook, InputError> {
        let refused = match self.look_at(base, wanted) {
            Err(error @ (InputError::Missing { .. } | InputError::Outside { .. })) => error,
            looked => return looked,
        };
        let others = spelling::others(base, wanted).into_iter();
        let mut found = others.filter_map(|other| self.look_at(base, &other).ok());
        found.next().ok_or(refused)
    }

    fn look_at(&self, base: &Path, wanted: &Path) -> Result<ImageLook, InputError> {
        let path = normalise(&base.join(wanted));
        let Some(root) = self.root_of(&path) else {
            let roots = self.roots.clone();
            return Err(InputError::Outside { path, roots });
        };
        let (file, state) = open(root, &path)?;
        Ok(ImageLook {
            root: root.to_owned(),
            path,
            state,
            is_open: is_open_for_writing(&file) == Some(true),
        })
    }

    /// Copies an image, unless it has changed since it was looked at; `beat` is called while that gets on.
    pub(super) fn copy(&self, image: &ImageLook, beat: impl Fn()) -> Result<NewCopy, InputError> {
        let path = &image.path;
        let changed = || InputError::Changed { path: path.clone() };
        match open(&image.root, path) {
            Ok((file, state)) if state == image.state => {
                recognise(&file, path)?;
                self.copy_of(&file, path, beat)
            }
            Ok(_) | Err(InputError::Missing { .. }) => Err(changed()),
            Err(error) => Err(error),
        }
    }

    /// Makes all copies durable.
    pub(crate) fn sync(&self) -> Result<(), InputError> {
        sync_dir(&self.copies).map_err(|error| InputError::Copy {
            path: self.copies.clone(),
            error,
        })
    }

    /// Where a wanted image lies by name alone: the root whose share answers for it.
    pub(super) fn share(&self, base: &Path, wanted: &Path) -> PathBuf {
        let path = normalise(&base.join(wanted));
        self.root_of(&path).unwrap_or(base).to_owned()
    }

    /// The nearest root, if the path is below it.
    fn root_of(&self, path: &Path) -> Option<&Path> {
        let roots = self.roots.iter().map(PathBuf::as_path);
        roots
            .filter(|root| path.starts_with(root))
            .max_by_key(|root| root.components().count())
            .filter(|root| *root != path)
    }

    /// Copies an open file; when that fails, nothing of the copy stays.
    fn copy_of(&self, source: &File, path: &Path, beat: impl Fn()) -> Result<NewCopy, InputError> {
        let copy = || {
            let copy = NewCopy {
                path: self.new_name(path)?,
                source: path.to_owned(),
                is_finished: false,
            };
            let mut target = File::create_new(&copy.path)?;
            copy_with(source, &mut target, beat)?;
            Ok(copy)
        };
        copy().map_err(|error| InputError::Copy {
            path: path.to_owned(),
            error,
        })
    }

    /// A second name for a copy: the content is there once, and goes with the last name.
    pub(super) fn link(&self, known: &InputCopy) -> io::Result<InputCopy> {
        let path = self.new_name(&known.path)?;
        fs::hard_link(&known.path, &path)?;
        Ok(InputCopy {
            path,
            ..known.clone()
        })
    }

    fn new_name(&self, like: &Path) -> io::Result<PathBuf> {
        let extension = like.extension().and_then(|e| e.to_str());
        let extension = extension.unwrap_or("img").to_ascii_lowercase();
        Ok(self.copies.join(format!("{}.{extension}", random_id()?)))
    }

    /// Removes every copy that none of `needed` is: left by a daemon that died between copying and storing.
    pub(crate) fn keep_only(&self, needed: &HashSet<PathBuf>) -> io::Result<()> {
        for entry in fs::read_dir(&self.copies)? {
            let path = entry?.path();
            if !needed.contains(&path) {
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

/// Opens an image beneath its root, and what it is now.
fn open(root: &Path, path: &Path) -> Result<(File, FileState), InputError> {
    let file = open_beneath(root, path).map_err(|errno| refused(errno, root, path))?;
    let metadata = file.metadata().map_err(|error| InputError::Read {
        path: path.to_owned(),
        error,
    })?;
    if !metadata.is_file() {
        let path = path.to_owned();
        return Err(InputError::NotRegular { path });
    }
    if metadata.len() > MAX_INPUT_BYTES {
        // A film has a name of its own.
        recognise(&file, path)?;
        return Err(InputError::TooLarge {
            path: path.to_owned(),
            found: metadata.len(),
        });
    }
    Ok((file, (&metadata).into()))
}

/// Whether a file begins as a picture that is read.
fn recognise(file: &File, path: &Path) -> Result<(), InputError> {
    let mut head = vec![0; picture::HEAD_BYTES];
    let mut read = 0;
    let path = || path.to_owned();
    while read < head.len() {
        match file.read_at(&mut head[read..], read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                return Err(InputError::Read {
                    path: path(),
                    error,
                });
            }
        }
    }
    let unfit = |unfit: Unfit| InputError::Unfit {
        path: path(),
        unfit,
    };
    picture::recognise(&head[..read]).map(drop).map_err(unfit)
}

/// Why a path can't be opened beneath its root.
fn refused(errno: Errno, root: &Path, path: &Path) -> InputError {
    let path = path.to_owned();
    match errno {
        Errno::ENOENT | Errno::ENOTDIR => InputError::Missing { path },
        Errno::ELOOP => InputError::Link { path },
        // Links are refused and `..` is gone: what is left is a mount on the way.
        Errno::EXDEV => InputError::OtherFileSystem {
            path,
            root: root.to_owned(),
        },
        // A socket, or a device without a driver.
        Errno::ENXIO | Errno::ENODEV => InputError::NotRegular { path },
        errno => InputError::Read {
            path,
            error: errno.into(),
        },
    }
}

/// Opens a file below a folder; the kernel refuses to leave the folder or to follow any link on the way.
fn open_beneath(root: &Path, path: &Path) -> Result<File, Errno> {
    let below = path.strip_prefix(root).map_err(|_| Errno::EXDEV)?;
    let root = File::open(root)
        .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or_default()))?;
    let how = OpenHow::new()
        // Non-blocking: opening a FIFO that nobody writes would hang.
        .flags(OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC | OFlag::O_NOCTTY)
        .resolve(
            ResolveFlag::RESOLVE_BENEATH
                | ResolveFlag::RESOLVE_NO_SYMLINKS
                | ResolveFlag::RESOLVE_NO_MAGICLINKS
                | ResolveFlag::RESOLVE_NO_XDEV,
        );
    openat2(root.as_fd(), below, how).map(File::from)
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
#[path = "tests.rs"]
mod tests;
