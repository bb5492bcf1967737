//! Where one file is, and where while it is fetched.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt, symlink},
    path::{Path, PathBuf},
};

/// The paths of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The bytes, when all of them are there.
    pub(crate) data: PathBuf,
    /// The bytes until then.
    pub(crate) partial: PathBuf,
    /// Who fetches them.
    pub(crate) lock: PathBuf,
    /// By which name the file is found, if that is not where its bytes are.
    pub(crate) link: Option<PathBuf>,
    /// Where the same bytes may be already, outside of the folder.
    pub(crate) twin: Option<PathBuf>,
}

/// What is there of a file, as far as its length tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Presence {
    /// All of it, here.
    Whole(PathBuf),
    /// All of it under another name on the same disk, if the bytes are the same: in the snapshot of another commit, or,
    /// where files are fetched to a plain folder, in the Hub's cache.
    Other(PathBuf),
    /// So many bytes.
    Part(u64),
}

impl Place {
    /// What is there of a file of `bytes` bytes.
    pub(crate) fn presence(&self, bytes: u64) -> Presence {
        let is_whole = |path: &&PathBuf| length(path) == Some(bytes);
        let named = self.link.iter().chain([&self.data]).find(is_whole);
        if let Some(path) = named {
            return Presence::Whole(path.clone());
        }
        match self.in_other_snapshot(bytes).or_else(|| self.twin(bytes)) {
            Some(path) => Presence::Other(path),
            None => Presence::Part(length(&self.partial).unwrap_or(0).min(bytes)),
        }
    }

    /// A file of that name and length in another snapshot, where those have files instead of links to blobs.
    fn in_other_snapshot(&self, bytes: u64) -> Option<PathBuf> {
        let link = self.link.as_ref()?;
        let repository = self.data.parent()?.parent()?;
        let snapshots = repository.join("snapshots");
        let below: PathBuf = link.strip_prefix(&snapshots).ok()?.iter().skip(1).collect();
        let entries = fs::read_dir(&snapshots).ok()?.flatten();
        let mut files = entries.map(|entry| entry.path().join(&below));
        files.find(|file| !file.is_symlink() && length(file) == Some(bytes))
    }

    /// The twin, where a second name of its bytes can be made.
    fn twin(&self, bytes: u64) -> Option<PathBuf> {
        let twin = fs::canonicalize(self.twin.as_ref()?).ok()?;
        let device = |path: &Path| fs::metadata(path).ok().map(|it| it.dev());
        let there = self.data.ancestors().find(|folder| folder.exists())?;
        let is_near = length(&twin) == Some(bytes) && device(&twin) == device(there);
        is_near.then_some(twin)
    }

    /// Gives the file its name, once its bytes are there.
    pub(crate) fn publish(&self) -> io::Result<()> {
        let Some(link) = &self.link else {
            return Ok(());
        };
        if fs::canonicalize(link).is_ok_and(|to| Some(to) == fs::canonicalize(&self.data).ok()) {
            return Ok(());
        }
        create_folder_of(link)?;
        let target = relative(link, &self.data);
        let new = beside(link, "link");
        // One of a run that was killed.
        let _ = fs::remove_file(&new);
        symlink(target, &new)?;
        fs::rename(&new, link)
    }
}

/// Makes the folder that a file is to lie in.
pub(crate) fn create_folder_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

/// The length of a file, through links.
fn length(path: &Path) -> Option<u64> {
    let metadata = fs::metadata(path).ok()?;
    metadata.is_file().then_some(metadata.len())
}

/// A hidden name of this process beside a file.
fn beside(path: &Path, kind: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.{kind}", std::process::id()))
}

/// The way from a link to a file in the same repository.
fn relative(link: &Path, file: &Path) -> PathBuf {
    let shared = link.iter().zip(file).take_while(|(a, b)| a == b).count();
    let up = link.iter().count() - shared - 1;
    let ups = std::iter::repeat_n("..".as_ref(), up);
    ups.chain(file.iter().skip(shared)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(repository: &Path) -> Place {
        Place {
            data: repository.join("blobs/ab"),
            partial: repository.join("blobs/ab.incomplete"),
            lock: repository.join("lock"),
            link: Some(repository.join("snapshots/c1/vae/config.json")),
            twin: None,
        }
    }

    #[test]
    fn files_are_known_by_their_length() {
        let dir = tempfile::tempdir().unwrap();
        let place = place(dir.path());
        fs::create_dir_all(dir.path().join("blobs")).unwrap();
        assert_eq!(place.presence(2), Presence::Part(0));
        fs::write(&place.partial, "{").unwrap();
        assert_eq!(place.presence(2), Presence::Part(1));
        fs::write(&place.data, "{").unwrap();
        assert_eq!(place.presence(2), Presence::Part(1));
        fs::write(&place.data, "{}").unwrap();
        assert_eq!(place.presence(2), Presence::Whole(place.data.clone()));
        place.publish().unwrap();
        let link = place.link.clone().unwrap();
        assert_eq!(
            fs::read_link(&link).unwrap(),
            Path::new("../../../blobs/ab")
        );
        assert_eq!(place.presence(2), Presence::Whole(link));
        place.publish().unwrap();
    }

    #[test]
    fn snapshot_with_files_counts_for_the_next_commit() {
        let dir = tempfile::tempdir().unwrap();
        let place = place(dir.path());
        let other = dir.path().join("snapshots/c0/vae/config.json");
        create_folder_of(&other).unwrap();
        fs::write(&other, "{}").unwrap();
        assert_eq!(place.presence(2), Presence::Other(other));
        assert_eq!(place.presence(3), Presence::Part(0));
    }
}
