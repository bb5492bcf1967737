//! `gc`: what broken-off fetches left, and blobs of the Hub's cache that no snapshot refers to. Only FramePack's own
//! repositories are looked at, and nothing that a running fetch holds is touched.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::{
    catalog::Selection,
    cli,
    environment::Environment,
    failure::Failure,
    output::{Output, size, table},
    target::{Target, is_locked},
};

/// Something that nothing needs.
#[derive(Debug, Serialize)]
struct Leftover {
    path: PathBuf,
    bytes: u64,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// A file that was not fetched to its end.
    Part,
    /// A file that no snapshot refers to.
    Unreferenced,
}

pub(super) fn run(
    args: cli::Gc,
    environment: &Environment,
    output: &Output,
) -> Result<(), Failure> {
    let target = Target::of(args.folder, environment);
    let target = target.map_err(|error| Failure::folder(&environment.cache, &error))?;
    let mut leftovers = Vec::new();
    for repository in Selection::All.repositories() {
        leftovers.extend(of_repository(&target, repository.name));
    }
    if !args.dry_run {
        for leftover in &leftovers {
            let path = &leftover.path;
            fs::remove_file(path).map_err(|error| Failure::folder(path, &error))?;
        }
    }
    let text = |leftovers: &[Leftover]| {
        let cells = leftovers.iter().map(|it| {
            let kind = match it.kind {
                Kind::Part => "part",
                Kind::Unreferenced => "unreferenced",
            };
            [
                it.path.display().to_string(),
                size(it.bytes),
                kind.to_owned(),
            ]
        });
        let files = match leftovers {
            [] => String::new(),
            _ => table(["FILE", "SIZE", "WHAT"], cells),
        };
        let bytes = size(leftovers.iter().map(|it| it.bytes).sum());
        let verb = if args.dry_run {
            "would be freed"
        } else {
            "freed"
        };
        format!("{files}{bytes} {verb}\n")
    };
    Ok(output.records("ModelLeftover", leftovers, text)?)
}

fn of_repository(target: &Target, name: &str) -> Vec<Leftover> {
    let repository = target.repository(name);
    let found = match target {
        Target::HubCache(_) => in_cache(&repository),
        Target::Folder(_) => in_downloads(&target.downloads(name)),
    };
    let is_free = |leftover: &Leftover| !is_locked(&target.lock_of(name, &leftover.path));
    found.into_iter().filter(is_free).collect()
}

fn in_cache(repository: &Path) -> Vec<Leftover> {
    let mut referred = BTreeSet::new();
    for file in files_below(&repository.join("snapshots")) {
        let blob = fs::read_link(&file).ok();
        referred.extend(blob.and_then(|blob| blob.file_name().map(OsString::from)));
    }
    let blobs = files_below(&repository.join("blobs")).into_iter();
    let leftovers = blobs.filter_map(|path| {
        let name = path.file_name()?;
        if is_partial(&path) {
            return Some(leftover(path, Kind::Part));
        }
        (!referred.contains(name)).then(|| leftover(path, Kind::Unreferenced))
    });
    leftovers.collect()
}

fn in_downloads(downloads: &Path) -> Vec<Leftover> {
    let files = files_below(downloads).into_iter();
    let parts = files.filter(|path| is_partial(path));
    parts.map(|path| leftover(path, Kind::Part)).collect()
}

fn leftover(path: PathBuf, kind: Kind) -> Leftover {
    Leftover {
        bytes: fs::symlink_metadata(&path).map_or(0, |file| file.len()),
        path,
        kind,
    }
}

fn is_partial(path: &Path) -> bool {
    path.extension()
        .is_some_and(|suffix| suffix == "incomplete")
}

/// All files and links below a folder; folders behind links are not entered.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                _ => files.push(entry.path()),
            }
        }
    }
    files.sort();
    files
}
