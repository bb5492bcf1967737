//! A path that leads nowhere as it is written, and leads to a file as another system writes it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use framepack_jobs::composed;

/// Other ways to write a path: with the slashes of Windows as ours, and with accents composed or decomposed as they are
/// in the names of the files (macOS decomposes them). None of them need be there.
pub(super) fn others(base: &Path, wanted: &Path) -> Vec<PathBuf> {
    let slashes = wanted.to_str().filter(|text| text.contains('\\'));
    let slashes = slashes.map(|text| PathBuf::from(text.replace('\\', "/")));
    let spelt = as_on_disk(base, slashes.as_deref().unwrap_or(wanted));
    slashes.into_iter().chain(spelt).collect()
}

/// The path with each name as its folder has it; `None` if one of them is there in no spelling.
fn as_on_disk(base: &Path, wanted: &Path) -> Option<PathBuf> {
    if wanted.to_str().is_none_or(str::is_ascii) {
        return None;
    }
    let mut path = base.to_owned();
    for part in wanted {
        let next = path.join(part);
        path = if next.symlink_metadata().is_ok() {
            next
        } else {
            path.join(spelt_like(&path, part.to_str()?)?)
        };
    }
    Some(path)
}

fn spelt_like(folder: &Path, name: &str) -> Option<String> {
    let names = fs::read_dir(folder).ok()?;
    let mut names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.find(|found| composed(found) == composed(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_as_another_system_writes_it() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("Fotos für O\u{308}le");
        fs::create_dir(&folder).unwrap();
        let picture = folder.join("ga\u{302}teau.png");
        fs::write(&picture, "").unwrap();
        let find = |wanted: &str| others(dir.path(), Path::new(wanted)).pop();
        assert_eq!(find("Fotos für Öle/gâteau.png"), Some(picture.clone()));
        assert_eq!(find("Fotos für Öle\\gâteau.png"), Some(picture));
        assert_eq!(find("Fotos für Öle/gateau.png"), None);
        assert_eq!(find("a\\b.png"), Some("a/b.png".into()));
        assert_eq!(find("a.png"), None);
    }
}
