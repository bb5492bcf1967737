//! Where one file is, and where while it is fetched.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt, symlink},
    path::{Path, PathBuf},
};

/// What `symlink` says where there are no links; where somebody may not make one, it says EACCES.
const EPERM: i32 = 1;

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

/// How the bytes of a file that is there under another name are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taking {
    /// By a second name of them.
    Share,
    /// As a copy: whoever edits one file leaves the other as it is.
    Copy,
}

impl Place {
    /// What is there of a file of `bytes` bytes.
    pub(crate) fn presence(&self, bytes: u64) -> Presence {
        if let Some(path) = self.whole(bytes).into_iter().next() {
            return Presence::Whole(path);
        }
        match self.others(bytes).into_iter().next() {
            Some(path) => Presence::Other(path),
            None => Presence::Part(length(&self.partial).unwrap_or(0).min(bytes)),
        }
    }

    /// Whether a file of that length has the name by which it is found.
    pub(crate) fn is_whole(&self, bytes: u64) -> bool {
        length(self.name()) == Some(bytes)
    }

    /// Files of that length under the file's own names, each once.
    pub(crate) fn whole(&self, bytes: u64) -> Vec<PathBuf> {
        let named = self.link.iter().chain([&self.data]);
        let mut whole: Vec<PathBuf> = named
            .filter(|path| length(path) == Some(bytes))
            .cloned()
            .collect();
        whole.dedup_by_key(|path| fs::canonicalize(&*path).ok());
        whole
    }

    /// Files of that length under other names.
    pub(crate) fn others(&self, bytes: u64) -> Vec<PathBuf> {
        let twin = self.twin(bytes);
        let snapshots = self.in_other_snapshots(bytes);
        snapshots.into_iter().chain(twin).collect()
    }

    /// Bytes that a part lacks.
    pub(crate) fn missing(&self, bytes: u64) -> u64 {
        bytes.saturating_sub(length(&self.partial).unwrap_or(0))
    }

    /// By which name the file is looked for.
    pub(crate) fn name(&self) -> &Path {
        self.link.as_ref().unwrap_or(&self.data)
    }

    /// A folder that is where the file is to be.
    pub(crate) fn obstacle(&self) -> Option<&Path> {
        let mut paths = self.link.iter().chain([&self.data, &self.partial]);
        paths.find(|path| path.is_dir()).map(|path| &**path)
    }

    /// Files of that name and length in other snapshots, where those have files instead of links to blobs.
    fn in_other_snapshots(&self, bytes: u64) -> Vec<PathBuf> {
        let files = || {
            let link = self.link.as_ref()?;
            let snapshots = self.data.parent()?.parent()?.join("snapshots");
            let own = link.strip_prefix(&snapshots).ok()?;
            let below: PathBuf = own.iter().skip(1).collect();
            let entries = fs::read_dir(&snapshots).ok()?.flatten();
            let files = entries.map(|entry| entry.path().join(&below));
            let is_one =
                |file: &PathBuf| file != link && !file.is_symlink() && length(file) == Some(bytes);
            Some(files.filter(is_one).collect())
        };
        files().unwrap_or_default()
    }

    /// The twin, where a second name of its bytes can be made.
    fn twin(&self, bytes: u64) -> Option<PathBuf> {
        let twin = fs::canonicalize(self.twin.as_ref()?).ok()?;
        let device = |path: &Path| fs::metadata(path).ok().map(|it| it.dev());
        let there = self.data.ancestors().find(|folder| folder.exists())?;
        let is_near = length(&twin) == Some(bytes) && device(&twin) == device(there);
        is_near.then_some(twin)
    }

    /// Takes the bytes of another file, in the place of what is there.
    pub(crate) fn take(&self, other: &Path, taking: Taking) -> io::Result<()> {
        create_folder_of(&self.data)?;
        if taking == Taking::Share {
            let new = beside(&self.data, "new");
            // One of a run that was killed.
            let _ = fs::remove_file(&new);
            if fs::hard_link(other, &new).is_ok() {
                return fs::rename(&new, &self.data);
            }
        }
        // A copy that is broken off is a part as a fetch leaves it.
        create_folder_of(&self.partial)?;
        fs::copy(other, &self.partial)?;
        fs::rename(&self.partial, &self.data)
    }

    /// Gives the file its name, once its bytes are there.
    pub(crate) fn publish(&self) -> io::Result<()> {
        self.publish_by(|to, link| symlink(to, link))
    }

    fn publish_by(&self, symlink: impl Fn(&Path, &Path) -> io::Result<()>) -> io::Result<()> {
        let Some(link) = &self.link else {
            return Ok(());
        };
        let data = fs::canonicalize(&self.data)?;
        let leads_there = |link: &Path| fs::canonicalize(link).is_ok_and(|to| to == data);
        if leads_there(link) {
            return Ok(());
        }
        create_folder_of(link)?;
        let new = beside(link, "link");
        // One of a run that was killed.
        let _ = fs::remove_file(&new);
        match symlink(&relative(link, &self.data), &new) {
            // As the Hub's own client does it: the file itself.
            Err(error) if has_no_links(&error) => return fs::rename(&self.data, link),
            made => made?,
        }
        // Where a folder on the way is a link itself.
        if !leads_there(&new) {
            fs::remove_file(&new)?;
            symlink(&data, &new)?;
        }
        fs::rename(&new, link)
    }
}

/// Whether it is the file system that can't make links.
pub(crate) fn has_no_links(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported || error.raw_os_error() == Some(EPERM)
}

/// Whether somebody may not write there, whoever it is.
pub(crate) fn is_unwritable(error: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem)
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

    #[test]
    fn snapshot_has_the_file_itself_where_there_are_no_links() {
        let dir = tempfile::tempdir().unwrap();
        let place = place(dir.path());
        create_folder_of(&place.data).unwrap();
        fs::write(&place.data, "{}").unwrap();
        let fail = |errno: i32| move |_: &Path, _: &Path| Err(io::Error::from_raw_os_error(errno));
        let eacces = 13;
        assert!(place.publish_by(fail(eacces)).is_err());
        place.publish_by(fail(EPERM)).unwrap();
        assert_eq!(fs::read_to_string(place.name()).unwrap(), "{}");
        assert!(!place.name().is_symlink() && !place.data.exists());
    }

    #[test]
    fn link_leads_to_its_blob_where_snapshots_are_elsewhere() {
        let dir = tempfile::tempdir().unwrap();
        let elsewhere = dir.path().join("other/disk/snapshots");
        fs::create_dir_all(&elsewhere).unwrap();
        let repository = dir.path().join("repository");
        let place = place(&repository);
        create_folder_of(&place.data).unwrap();
        symlink(&elsewhere, repository.join("snapshots")).unwrap();
        fs::write(&place.data, "{}").unwrap();
        place.publish().unwrap();
        assert_eq!(fs::read_to_string(place.name()).unwrap(), "{}");
    }

    #[test]
    fn bytes_are_taken_in_the_place_of_others() {
        for (taking, names) in [(Taking::Share, 2), (Taking::Copy, 1)] {
            let dir = tempfile::tempdir().unwrap();
            let place = place(dir.path());
            let other = dir.path().join("other");
            fs::write(&other, "{}").unwrap();
            create_folder_of(&place.data).unwrap();
            fs::write(&place.data, "{").unwrap();
            place.take(&other, taking).unwrap();
            assert_eq!(fs::read_to_string(&place.data).unwrap(), "{}");
            assert_eq!(fs::metadata(&place.data).unwrap().nlink(), names);
            assert_eq!(fs::read_dir(dir.path().join("blobs")).unwrap().count(), 1);
        }
    }
}
