//! A walk through the folders below one, for parts of the models: outer folders first, those behind links last.

use std::{
    collections::{BTreeSet, VecDeque},
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use framepack_bundle::Component;

use super::{
    part::{self, Found},
    single::{self, Unusable},
};

/// Somebody has named a whole disk.
const MAX_FOLDERS: usize = 100_000;
/// Where the Hub's cache is in a home.
const USER_CACHE: &str = ".cache/huggingface";
/// Folders without models, of which there are many, or which nobody may read.
const PASSED_OVER: [&str; 4] = ["node_modules", "site-packages", "__pycache__", "lost+found"];

/// What Linux shows as files and are none.
const SYSTEM: [&str; 3] = ["/dev", "/proc", "/sys"];

/// What was found below a folder.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// The best of each part, in the order of the components.
    pub(super) found: Vec<Found>,
    pub(super) unusable: Vec<Unusable>,
    /// Whether there are more folders than were looked at.
    pub(super) is_cut_short: bool,
    /// Folders that can't be read.
    unreadable: Vec<(PathBuf, io::Error)>,
    /// Files of parts that are links to nothing.
    dangling: Vec<PathBuf>,
}

/// Folders that wait, and those that were entered, by device and inode: links may lead in circles.
#[derive(Debug, Default)]
struct Walk {
    folders: VecDeque<PathBuf>,
    behind_links: VecDeque<PathBuf>,
    entered: BTreeSet<(u64, u64)>,
}

/// What a folder has.
#[derive(Debug, Default)]
struct Listed {
    folders: Vec<PathBuf>,
    behind_links: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

/// Looks through all that is in `from` and below.
pub(super) fn find(from: &Path) -> Search {
    let mut search = Search::default();
    // `from` may be a part's own folder, or a repository's.
    for part in part::in_bundle(from.parent().unwrap_or(from)) {
        if part.is_in(from) {
            search.add(part);
        }
    }
    let mut walk = Walk::default();
    walk.folders.push_back(from.to_owned());
    while let Some(folder) = walk.next() {
        if walk.entered.len() > MAX_FOLDERS {
            search.is_cut_short = true;
            break;
        }
        let listed = match list(&folder) {
            Ok(listed) => listed,
            Err(error) => {
                search.unreadable.push((folder, error));
                continue;
            }
        };
        let all = listed.folders.iter().chain(&listed.behind_links);
        if all.into_iter().any(|folder| part::may_be(folder)) {
            part::in_bundle(&folder).for_each(|part| search.add(part));
        }
        for file in &listed.files {
            if is_dangling(file) {
                search.dangling.push(file.clone());
            }
            match single::look(file) {
                Some(Ok(part)) => search.add(part),
                Some(Err(unusable)) => search.unusable.push(unusable),
                None => {}
            }
        }
        walk.folders.extend(listed.folders);
        walk.behind_links.extend(listed.behind_links);
    }
    search.found.sort_by_key(Found::order);
    search
}

impl Search {
    /// What was not looked at, or can't be.
    pub(super) fn gaps(&self, from: &Path) -> Vec<String> {
        let mut gaps = Vec::new();
        if self.is_cut_short {
            gaps.push(format!(
                "{} has more folders than were looked at; name one that is nearer to the models",
                from.display()
            ));
        }
        if let Some((first, error)) = self.unreadable.first() {
            gaps.push(format!(
                "folders that can't be read: {}, as {} ({error})",
                self.unreadable.len(),
                first.display()
            ));
        }
        if let Some(first) = self.dangling.first() {
            let to = fs::read_link(first).unwrap_or_default();
            gaps.push(format!(
                "links that lead nowhere: {} of the models' files, as {} to {}; mount the disk that has them, or copy a \
                 cache of the Hub together with its blobs",
                self.dangling.len(),
                first.display(),
                to.display()
            ));
        }
        gaps
    }

    /// Keeps the better one of two that are the same part; of two that are as good, the first.
    fn add(&mut self, part: Found) {
        let mut found = self.found.iter_mut();
        match found.find(|known| known.component == part.component) {
            Some(known) if part.rank() < known.rank() => *known = part,
            Some(_) => {}
            None => self.found.push(part),
        }
    }
}

impl Walk {
    /// The next folder that was not entered yet.
    fn next(&mut self) -> Option<PathBuf> {
        loop {
            let folder = self.folders.pop_front();
            let folder = folder.or_else(|| self.behind_links.pop_front())?;
            // What is gone, or not to be entered, is met again by whoever lists it.
            let Ok(metadata) = fs::metadata(&folder) else {
                return Some(folder);
            };
            if self.entered.insert((metadata.dev(), metadata.ino())) {
                return Some(folder);
            }
        }
    }
}

/// What is in a folder, by name, without what is hidden.
fn list(folder: &Path) -> io::Result<Listed> {
    let mut listed = Listed::default();
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<io::Result<_>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (name, path) = (entry.file_name(), entry.path());
        let name = name.to_string_lossy();
        let is_system = SYSTEM.iter().any(|system| path == Path::new(system));
        if name.starts_with('.') || PASSED_OVER.contains(&&*name) || is_system {
            continue;
        }
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => listed.folders.push(path),
            Ok(kind) if kind.is_symlink() && path.is_dir() => listed.behind_links.push(path),
            _ => listed.files.push(path),
        }
    }
    let cache = folder.join(USER_CACHE);
    if cache.is_dir() {
        listed.folders.push(cache);
    }
    Ok(listed)
}

/// Whether a file is a link to nothing, and named as a file of a part.
fn is_dangling(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let mut components = Component::ALL.into_iter();
    file.is_symlink() && !file.exists() && components.any(|component| component.has_file(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_that_cannot_be_read_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let gone = dir.path().join("models");
        let search = find(&gone);
        let says = format!("folders that can't be read: 1, as {} (", gone.display());
        let gaps = search.gaps(dir.path());
        assert!(gaps.len() == 1 && gaps[0].starts_with(&says), "{gaps:?}");
    }
}
