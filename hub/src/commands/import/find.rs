//! A walk through the folders below one, for parts of the models: outer folders first, those behind links last.

use std::{
    collections::{BTreeSet, VecDeque},
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::{
    part::{self, Found},
    single::{self, Unusable},
};

/// Somebody has named a whole disk.
const MAX_FOLDERS: usize = 100_000;
/// Where the Hub's cache is in a home.
const USER_CACHE: &str = ".cache/huggingface";
/// Folders without models, of which there are many.
const PASSED_OVER: [&str; 3] = ["node_modules", "site-packages", "__pycache__"];

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
        let listed = list(&folder);
        let all = listed.folders.iter().chain(&listed.behind_links);
        if all.into_iter().any(|folder| part::may_be(folder)) {
            part::in_bundle(&folder).for_each(|part| search.add(part));
        }
        for file in &listed.files {
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
            let Ok(metadata) = fs::metadata(&folder) else {
                continue;
            };
            if self.entered.insert((metadata.dev(), metadata.ino())) {
                return Some(folder);
            }
        }
    }
}

/// What is in a folder, by name, without what is hidden.
fn list(folder: &Path) -> Listed {
    let mut listed = Listed::default();
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut entries: Vec<_> = entries.collect();
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
    listed
}
