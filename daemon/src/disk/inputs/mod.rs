//! Files that a job names: opened beneath the configured roots without following links out of them,
//! on their file system and regular, and copied into the state directory, so that what was checked is what is
//! rendered, whatever happens to the original.

mod error;

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File, Metadata},
    io,
    os::fd::{AsFd, OwnedFd},
    path::{Component, Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{OFlag, OpenHow, ResolveFlag, openat2},
};
use sha2::{Digest, Sha256};

pub(crate) use error::InputError;

use crate::{
    file::{Fingerprint, sync_dir},
    record::random_id,
};

/// Largest image taken; the largest sensible one (64 megapixels, TIFF with 16 bits a channel) is smaller.
const MAX_INPUT_BYTES: u64 = 512 << 20;

/// The folders beneath which a job may read, and where copies go.
#[derive(Debug, Clone)]
pub(crate) struct Inputs {
    roots: Vec<PathBuf>,
    copies: PathBuf,
}

/// A file that may be a job's input.
#[derive(Debug)]
pub(crate) struct OpenInput {
    path: PathBuf,
    file: File,
    metadata: Metadata,
}

impl OpenInput {
    /// As the user named it, absolute.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Of the moment when it was opened.
    pub(crate) fn metadata(&self) -> &Metadata {
        &self.metadata
    }
}

/// Copies made for jobs that are accepted together: an image that many of them name is copied once.
#[derive(Debug, Default)]
pub(crate) struct Copies(HashMap<Fingerprint, InputCopy>);

/// A job's own copy of its start image.
#[derive(Debug, Clone)]
pub(crate) struct InputCopy {
    pub(crate) path: PathBuf,
    /// SHA-256 of its content, in hexadecimal.
    pub(crate) sha256: String,
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

    /// Opens `wanted` (relative to `base`) by the rules.
    pub(crate) fn open(&self, base: &Path, wanted: &Path) -> Result<OpenInput, InputError> {
        // The folder itself may lie behind a link; what the job names below it may not.
        let base = base.canonicalize().unwrap_or_else(|_| base.to_owned());
        let path = normalise(&base.join(wanted));
        let file = self.open_path(&path)?;
        let metadata = file.metadata().map_err(|error| InputError::Read {
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
        Ok(OpenInput {
            path,
            file,
            metadata,
        })
    }

    /// Copies an open input; the copy belongs to one job, and is durable after [`Self::sync`].
    pub(crate) fn copy(
        &self,
        input: &OpenInput,
        copies: &mut Copies,
    ) -> Result<InputCopy, InputError> {
        let state = Fingerprint::from(&input.metadata);
        if let Some(known) = copies.0.get(&state)
            && let Ok(copy) = self.link(known)
        {
            return Ok(copy);
        }
        let copy = self.copy_of(&input.file, &input.path)?;
        copies.0.insert(state, copy.clone());
        Ok(copy)
    }

    /// Makes all copies durable.
    pub(crate) fn sync(&self) -> Result<(), InputError> {
        sync_dir(&self.copies).map_err(|error| InputError::Copy {
            path: self.copies.clone(),
            error,
        })
    }

    fn open_path(&self, path: &Path) -> Result<File, InputError> {
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
                // Links are refused and `..` is gone: what is left is a mount on the way.
                Errno::EXDEV => InputError::OtherFileSystem {
                    path: path.to_owned(),
                    root: root.to_owned(),
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

    /// The nearest root above the path, and the rest of the path below it.
    fn root_of<'a>(&'a self, path: &'a Path) -> Option<(&'a Path, &'a Path)> {
        let below = |root: &'a PathBuf| {
            path.strip_prefix(root)
                .ok()
                .map(|below| (root.as_path(), below))
        };
        self.roots
            .iter()
            .filter_map(below)
            .min_by_key(|(_, below)| below.as_os_str().len())
            .filter(|(_, below)| !below.as_os_str().is_empty())
    }

    /// Copies an open file; when that fails, nothing of the copy stays.
    fn copy_of(&self, source: &File, path: &Path) -> Result<InputCopy, InputError> {
        let failed = |error| InputError::Copy {
            path: path.to_owned(),
            error,
        };
        let copy = self.new_name(path).map_err(failed)?;
        match Self::fill(&copy, source) {
            Ok(sha256) => Ok(InputCopy { path: copy, sha256 }),
            Err(error) => {
                remove(&copy);
                Err(failed(error))
            }
        }
    }

    /// A second name for a copy: the content is there once, and goes with the last name.
    fn link(&self, known: &InputCopy) -> io::Result<InputCopy> {
        let path = self.new_name(&known.path)?;
        fs::hard_link(&known.path, &path)?;
        let sha256 = known.sha256.clone();
        Ok(InputCopy { path, sha256 })
    }

    fn new_name(&self, like: &Path) -> io::Result<PathBuf> {
        let extension = like.extension().and_then(|e| e.to_str());
        let extension = extension.unwrap_or("img").to_ascii_lowercase();
        Ok(self.copies.join(format!("{}.{extension}", random_id()?)))
    }

    /// Writes the copy's content, durably; returns the SHA-256 of what can be read back of it.
    fn fill(copy: &Path, mut source: &File) -> io::Result<String> {
        let mut target = File::create_new(copy)?;
        // By the kernel, and without a second copy of the bytes where the file system can share them.
        io::copy(&mut source, &mut target)?;
        target.sync_all()?;
        let mut hash = Sha256::new();
        io::copy(&mut File::open(copy)?, &mut hash)?;
        Ok(format!("{:x}", hash.finalize()))
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
                | ResolveFlag::RESOLVE_NO_MAGICLINKS
                | ResolveFlag::RESOLVE_NO_XDEV,
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
mod tests;
