//! `gc`: what broken-off fetches left, and blobs of the Hub's cache that no snapshot refers to. Only FramePack's own
//! repositories are looked at, and nothing that a running fetch holds is touched.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use serde::{Serialize, Serializer};

use crate::{
    catalog::Selection,
    cli,
    environment::Environment,
    failure::Failure,
    hash::HubHash,
    output::{Output, size, table},
    target::{Target, is_locked},
};

/// Something that nothing needs.
#[derive(Debug, Serialize)]
struct Leftover {
    #[serde(serialize_with = "shown")]
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
    args: &cli::Gc,
    environment: &Environment,
    output: &Output,
) -> Result<(), Failure> {
    let target = super::folder::existing(args.folder.as_deref(), environment)?;
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
        let root = target.root().display();
        if !has_ours(&target) {
            return format!("In {root}: nothing of FramePack's models\n");
        }
        format!("{files}In {root}: {bytes} {verb}\n")
    };
    Ok(output.records("ModelLeftover", leftovers, text)?)
}

/// A path need not be text, as JSON's strings are.
fn shown<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

/// Whether one of our repositories is there.
fn has_ours(target: &Target) -> bool {
    let mut repositories = Selection::All.repositories().into_iter();
    repositories.any(|repository| target.repository(repository.name).is_dir())
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
    let referred = referred(&repository.join("snapshots"));
    let blobs = files_below(&repository.join("blobs")).into_iter();
    let leftovers = blobs.filter_map(|path| {
        let name = path.file_name()?;
        if is_partial(&path) {
            return Some(leftover(path, Kind::Part));
        }
        let referred = referred.as_ref()?;
        let is_blob = HubHash::parse(name.to_str()?).is_some();
        (is_blob && !referred.contains(name)).then(|| leftover(path, Kind::Unreferenced))
    });
    leftovers.collect()
}

/// The blobs that snapshots refer to. `None` if not all of them can be seen: then any blob may be in use.
fn referred(snapshots: &Path) -> Option<BTreeSet<OsString>> {
    let mut referred = BTreeSet::new();
    let mut folders = vec![snapshots.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).ok()? {
            let path = entry.ok()?.path();
            match fs::read_link(&path) {
                Ok(_) if path.is_dir() => return None,
                Ok(blob) => referred.extend(blob.file_name().map(OsString::from)),
                Err(_) if path.is_dir() => folders.push(path),
                Err(_) => {}
            }
        }
    }
    Some(referred)
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const BLOBS: [&str; 2] = [
        "1111111111111111111111111111111111111111",
        "2222222222222222222222222222222222222222",
    ];

    /// A repository with a blob in use, one that is not, and somebody's notes.
    fn repository() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("snapshots/abc/vae")).unwrap();
        fs::create_dir(path("blobs")).unwrap();
        for blob in BLOBS.into_iter().chain(["notes.txt"]) {
            fs::write(path("blobs").join(blob), "bytes").unwrap();
        }
        let target = Path::new("../../../blobs").join(BLOBS[0]);
        symlink(target, path("snapshots/abc/vae/config.json")).unwrap();
        folder
    }

    fn found(folder: &Path) -> Vec<String> {
        let leftovers = in_cache(folder).into_iter();
        let names = leftovers.map(|it| it.path.file_name().unwrap().to_string_lossy().into_owned());
        names.collect()
    }

    #[test]
    fn only_blobs_that_nothing_refers_to_are_leftovers() {
        assert_eq!(found(repository().path()), [BLOBS[1]]);
    }

    #[test]
    fn nothing_is_a_leftover_where_snapshots_cannot_be_seen() {
        let folder = repository();
        let snapshots = folder.path().join("snapshots");
        fs::rename(snapshots.join("abc"), folder.path().join("elsewhere")).unwrap();
        symlink("../elsewhere", snapshots.join("abc")).unwrap();
        assert!(found(folder.path()).is_empty());
        fs::remove_file(snapshots.join("abc")).unwrap();
        fs::remove_dir(snapshots).unwrap();
        assert!(found(folder.path()).is_empty());
    }
}
