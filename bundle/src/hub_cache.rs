//! The Hub's cache of one repository: `refs/main` names a commit, whose files are in `snapshots/COMMIT`.

use std::{fs, path::Path};

/// The commit whose files count in `repository`, a folder like `models--ORG--NAME`: that of `refs/main`. Where that is
/// missing, as after a download by commit or a copy of `snapshots/` alone, it is the only snapshot there is.
pub fn commit(repository: &Path) -> Option<String> {
    match fs::read_to_string(repository.join("refs/main")) {
        Ok(commit) => Some(commit.trim().to_owned()),
        Err(_) => only_snapshot(repository),
    }
}

fn only_snapshot(repository: &Path) -> Option<String> {
    let entries = fs::read_dir(repository.join("snapshots")).ok()?.flatten();
    let mut folders = entries.filter(|entry| entry.path().is_dir());
    let only = folders.next()?;
    match folders.next() {
        None => only.file_name().into_string().ok(),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_counts_and_else_the_only_snapshot() {
        let dir = tempfile::tempdir().unwrap();
        let repository = dir.path();
        assert_eq!(commit(repository), None);
        fs::create_dir_all(repository.join("snapshots/abc")).unwrap();
        assert_eq!(commit(repository).as_deref(), Some("abc"));
        fs::create_dir_all(repository.join("snapshots/def")).unwrap();
        assert_eq!(commit(repository), None);
        fs::create_dir_all(repository.join("refs")).unwrap();
        fs::write(repository.join("refs/main"), "def\n").unwrap();
        assert_eq!(commit(repository).as_deref(), Some("def"));
    }
}
