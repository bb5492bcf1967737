//! Bundles: a job file and its images as one, a folder `name.job`, or `name.zip` or `name.tar.zst`.
//!
//! An archive is unpacked below the state directory and removed there once it is answered; what is filed is the
//! archive itself. Whatever an archive says of paths, links and sizes is not trusted.

mod copy;
mod error;
mod survey;
mod unpack;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use tracing::warn;

pub(super) use copy::{copy, digest};
pub(super) use error::BundleError;
pub(super) use survey::Survey;
pub(super) use unpack::check;

use super::name::{self, Form};

/// Files and folders of one bundle.
const MAX_ENTRIES: usize = 1000;
/// Bytes of one bundle, unpacked.
const MAX_BYTES: u64 = 1 << 30;
/// An archive may grow by this factor; images hardly do at all …
const MAX_RATIO: u64 = 200;
/// … but a small one may be mostly of zeros.
const FREE_BYTES: u64 = 16 << 20;
/// Folders below each other.
const MAX_DEPTH: usize = 8;
/// A file of this name says that a folder is complete.
const READY: &str = "READY";

/// An open bundle.
#[derive(Debug)]
pub(super) struct Bundle {
    /// The folder of its job file, below which its images lie.
    pub(super) folder: PathBuf,
    /// The job file.
    pub(super) job: PathBuf,
    _unpacked: Option<Unpacked>,
}

impl Bundle {
    /// Opens the bundle at `path`. `into`: an archive is unpacked into this folder, which is not there yet.
    pub(super) fn open(path: &Path, form: Form, into: &Path) -> Result<Self, BundleError> {
        if form == Form::Folder {
            Survey::of(path)?;
            return Self::of(path, None);
        }
        let failed = |error| BundleError::Unpack {
            path: into.to_owned(),
            error,
        };
        // What a daemon left that was killed meanwhile.
        let _ = fs::remove_dir_all(into);
        fs::create_dir_all(into).map_err(failed)?;
        let unpacked = Unpacked(into.to_owned());
        unpack::unpack(path, form, into)?;
        Self::of(into, Some(unpacked))
    }

    /// The one job file at the top of a folder, or of the one folder in it, which is how many programs pack.
    fn of(root: &Path, unpacked: Option<Unpacked>) -> Result<Self, BundleError> {
        let damaged = |error: io::Error| BundleError::Damaged {
            reason: error.to_string(),
        };
        let (mut jobs, mut folders) = (Vec::new(), Vec::new());
        let mut folder = root.to_owned();
        for _ in 0..2 {
            for entry in fs::read_dir(&folder).map_err(damaged)? {
                let path = entry.map_err(damaged)?.path();
                let form = path.file_name().and_then(name::form);
                match form {
                    _ if path.is_dir() => folders.push(path),
                    Some(Form::Text) => jobs.push(path),
                    _ => {}
                }
            }
            match (&jobs[..], &folders[..]) {
                ([], [only]) => folder.clone_from(only),
                _ => break,
            }
            folders.clear();
        }
        match <[PathBuf; 1]>::try_from(jobs) {
            Ok([job]) => Ok(Self {
                folder: job.parent().unwrap_or(root).to_owned(),
                job,
                _unpacked: unpacked,
            }),
            Err(jobs) => Err(BundleError::NotOneJob { found: jobs.len() }),
        }
    }
}

/// The folder of an unpacked archive, removed when it is dropped.
#[derive(Debug)]
struct Unpacked(PathBuf);

impl Drop for Unpacked {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            warn!(folder = %self.0.display(), %error, "removing an unpacked bundle");
        }
    }
}
