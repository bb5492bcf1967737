//! A folder of links to parts that were found: each file where a fetch would put it.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use framepack_ipc::ErrorBody;
use framepack_jobs::Code;

use super::part::{self, Found, Source};
use crate::{
    failure::Failure,
    published,
    target::{Target, create_folder_of, has_no_links},
};

/// Links to the files of a part, unless a whole one is there; the folder that they are in.
pub(super) fn link(found: &Found, target: &Target) -> Result<PathBuf, Failure> {
    let (repository, below) = found.component.published();
    let folder: PathBuf = target
        .repository(repository)
        .join(below)
        .components()
        .collect();
    if part::is_whole(found.component, &folder) {
        return Ok(folder);
    }
    let linked = match &found.source {
        Source::Folder { files, .. } => link_files(files, &folder),
        Source::File(file) => link_weights(found, file, &folder),
    };
    linked.map_err(|(path, error)| {
        if has_no_links(&error) {
            without_links(&path, target)
        } else {
            Failure::folder(&path, &error)
        }
    })?;
    Ok(folder)
}

/// Not every disk can have links.
fn without_links(path: &Path, target: &Target) -> Failure {
    let message = format!(
        "{} can't be made: the disk of {} has no links",
        path.display(),
        target.root().display()
    );
    let hint =
        "name a folder on another disk with `--to DIR`; links may lead from there to any disk";
    ErrorBody::new(Code::MODEL_FOLDER, message)
        .hint(hint)
        .into()
}

fn link_files(files: &[PathBuf], folder: &Path) -> Result<(), (PathBuf, io::Error)> {
    for file in files {
        let Some(name) = file.file_name() else {
            continue;
        };
        let place = folder.join(name);
        link_file(file, &place).map_err(|error| (place, error))?;
    }
    Ok(())
}

/// One file under the name that is looked for, with the configuration that it lacks.
fn link_weights(found: &Found, file: &Path, folder: &Path) -> Result<(), (PathBuf, io::Error)> {
    let component = found.component;
    let (Some(base), Some(configuration)) =
        (component.weights(), published::configuration(component))
    else {
        return Ok(());
    };
    // Of an earlier import, whose shards it names; it would count before the file.
    let index = folder.join(format!("{base}.safetensors.index.json"));
    if index.is_symlink() {
        fs::remove_file(&index).map_err(|error| (index, error))?;
    }
    let place = folder.join(format!("{base}.safetensors"));
    link_file(file, &place).map_err(|error| (place, error))?;
    let place = folder.join("config.json");
    if place.exists() {
        return Ok(());
    }
    fs::write(&place, format!("{configuration:#}\n")).map_err(|error| (place, error))
}

/// What is there already stays, unless it leads nowhere.
fn link_file(file: &Path, place: &Path) -> io::Result<()> {
    if place.exists() {
        return Ok(());
    }
    create_folder_of(place)?;
    if place.is_symlink() {
        fs::remove_file(place)?;
    }
    symlink(fs::canonicalize(file)?, place)
}
