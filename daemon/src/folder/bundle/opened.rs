//! An open bundle: its job file and where its images lie.

use std::{
    fs,
    path::{Path, PathBuf},
};

use framepack_jobs::{Code, Failure};
use tracing::warn;

use super::{
    error::{BundleError, some_of},
    job_file::job_file,
    survey::Survey,
    unpack,
};
use crate::folder::dropped::Form;

/// An open bundle.
#[derive(Debug)]
pub(crate) struct Bundle {
    /// The folder of its job file, below which its images lie.
    pub(crate) folder: PathBuf,
    /// The job file.
    pub(crate) job: PathBuf,
    _unpacked: Option<Unpacked>,
}

impl Bundle {
    /// Opens the bundle at `path`. `into`: an archive is unpacked into this folder, which is not there yet.
    pub(crate) fn open(path: &Path, form: Form, into: &Path) -> Result<Self, BundleError> {
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

    /// The failure of a job whose image is not there: what is there instead.
    pub(crate) fn without(&self, wanted: &Path) -> Failure {
        let mut names = Vec::new();
        files_in(&self.folder, &self.folder, &mut names);
        names.sort();
        let message = format!(
            "start.image: the bundle has no {}; it has {}",
            wanted.display(),
            some_of(&names)
        );
        let hint = "pack it into the bundle under the name that `start.image` has; a name in other letters than ASCII needs a program that writes UTF-8";
        Failure::new(Code::IMAGE_MISSING, message).hinting(Some(hint))
    }

    fn of(root: &Path, unpacked: Option<Unpacked>) -> Result<Self, BundleError> {
        let job = job_file(root)?;
        Ok(Self {
            folder: job.parent().unwrap_or(root).to_owned(),
            job,
            _unpacked: unpacked,
        })
    }
}

/// Names of all files; what can't be read has none.
fn files_in(folder: &Path, root: &Path, names: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            files_in(&path, root, names);
        } else {
            let name = path.strip_prefix(root).unwrap_or(&path);
            names.push(name.display().to_string());
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
