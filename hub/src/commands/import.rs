//! `import`: models that other programs have fetched, found and used where they are. Nothing is copied: either the
//! folder is a bundle as it is, or `--to` makes a folder of links.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use framepack_ipc::ErrorBody;
use framepack_jobs::{Code, Model};
use serde::Serialize;

use super::ready;
use crate::{
    cli,
    failure::Failure,
    output::{Output, table},
    target::{Target, create_folder_of},
};

mod find;

use find::{Found, find};

/// A part that was found.
#[derive(Debug, Serialize)]
struct Row {
    component: &'static str,
    folder: String,
    /// The folder of links to it, if it was asked for.
    linked: Option<String>,
}

pub(super) fn run(args: &cli::Import, output: &Output) -> Result<(), Failure> {
    let absolute =
        |path: &Path| std::path::absolute(path).map_err(|error| Failure::folder(path, &error));
    let from = absolute(&args.from)?;
    fs::read_dir(&from).map_err(|error| Failure::folder(&from, &error))?;
    let found = find(&from);
    if found.is_empty() {
        let message = format!("no part of FramePack's models in {}", from.display());
        return Err(ErrorBody::new(Code::IMPORT_NOTHING, message).into());
    }
    let bundle = match &args.to {
        Some(to) => Some(absolute(to)?),
        None => [from.clone(), from.join("hub")]
            .into_iter()
            .find(|root| is_ready(root)),
    };
    let target = args
        .to
        .is_some()
        .then(|| bundle.clone().map(Target::Folder));
    let target = target.flatten();
    let mut rows = Vec::new();
    for found in &found {
        let linked = target
            .as_ref()
            .map(|target| link(found, target))
            .transpose()?;
        rows.push(Row {
            component: found.component.folder(),
            folder: found.folder.display().to_string(),
            linked: linked.map(|path| path.display().to_string()),
        });
    }
    let text = |rows: &[Row]| {
        let cells = rows
            .iter()
            .map(|row| [row.component.to_owned(), row.folder.clone()]);
        table(["PART", "WHERE"], cells)
    };
    output.records("ModelPart", rows, text)?;
    Ok(output.say(&advice(&from, bundle.as_deref()))?)
}

/// Whether jobs of one of the models could be rendered with it.
fn is_ready(root: &Path) -> bool {
    let mut models = [Model::Original, Model::F1].into_iter();
    models.any(|model| ready::lacking(root, &[model]).is_empty())
}

/// What to do next.
fn advice(from: &Path, bundle: Option<&Path>) -> String {
    let Some(root) = bundle else {
        let from = from.display();
        return format!(
            "not all of a model is there in one place; `framepackctl models import {from} --to DIR` makes a folder of \
             links, and `framepackctl models fetch --to DIR` then gets the rest"
        );
    };
    if is_ready(root) {
        return format!(
            "In the daemon's configuration:\n{}",
            ready::configuration(root)
        );
    }
    let lacking = ready::lacking(root, &[Model::Original]);
    let lacking: Vec<_> = lacking
        .iter()
        .map(|finding| format!("{}\n", finding.message))
        .collect();
    format!(
        "{}`framepackctl models fetch --to {}` gets what is missing",
        lacking.concat(),
        root.display()
    )
}

/// Links to the files of a part, where a fetch would put them; the folder that they are in.
fn link(found: &Found, target: &Target) -> Result<PathBuf, Failure> {
    let (repository, below) = found.component.published();
    let folder = target.repository(repository).join(below);
    for file in &found.files {
        let Some(name) = file.file_name() else {
            continue;
        };
        let place = folder.join(name);
        link_file(file, &place).map_err(|error| Failure::folder(&place, &error))?;
    }
    Ok(folder)
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
