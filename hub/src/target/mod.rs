//! Where the models' files lie: in the Hub's own cache, or in a plain folder. Both are bundles as they are.
//!
//! - `place`: where one file is, and where while it is fetched
//! - `lock`: who fetches it
//! - `space`: what the disk has left

mod lock;
mod place;
mod space;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

pub(crate) use self::{
    lock::{Lock, is_locked},
    place::{Place, Presence, create_folder_of},
    space::{free_bytes, is_disk_full},
};
use crate::{api::HubFile, environment::Environment};

/// The folder in which the Hub's own client keeps what it has not finished, in a plain folder.
const DOWNLOADS: &str = ".cache/huggingface/download";
/// The name of the note of what was checked.
pub(crate) const MANIFEST: &str = "framepack-manifest.json";

/// A folder with models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// `models--ORG--NAME/blobs`, `snapshots` and `refs`, which other programs use as well.
    HubCache(PathBuf),
    /// A folder for each repository, named after it.
    Folder(PathBuf),
}

impl Target {
    /// The folder that a user names, or the Hub's cache.
    pub(crate) fn of(folder: Option<PathBuf>, environment: &Environment) -> io::Result<Self> {
        let (folder, is_cache) = match folder {
            Some(folder) => (folder, false),
            None => (
                environment.cache.clone().ok_or(io::ErrorKind::NotFound)?,
                true,
            ),
        };
        let folder = std::path::absolute(folder)?;
        let is_cache =
            is_cache || Some(&folder) == environment.cache.as_ref() || has_repositories(&folder);
        Ok(match is_cache {
            true => Self::HubCache(folder),
            false if has_repositories(&folder.join("hub")) => Self::HubCache(folder.join("hub")),
            false => Self::Folder(folder),
        })
    }

    /// What the configuration has as `models.bundle`.
    pub(crate) fn root(&self) -> &Path {
        let (Self::HubCache(root) | Self::Folder(root)) = self;
        root
    }

    /// The folder of a repository.
    pub(crate) fn repository(&self, name: &str) -> PathBuf {
        match self {
            Self::HubCache(root) => root.join(cached_name(name)),
            Self::Folder(root) => root.join(name.rsplit('/').next().unwrap_or(name)),
        }
    }

    /// The note of what was checked in a repository's folder.
    pub(crate) fn manifest(&self, name: &str) -> PathBuf {
        self.repository(name).join(MANIFEST)
    }

    /// Who writes that note.
    pub(crate) fn manifest_lock(&self, name: &str) -> PathBuf {
        self.locks(name).join("manifest.lock")
    }

    /// A file's place.
    pub(crate) fn place(&self, name: &str, commit: &str, file: &HubFile) -> Place {
        let repository = self.repository(name);
        let hash = file.hash.as_str();
        match self {
            Self::HubCache(_) => {
                let blobs = repository.join("blobs");
                Place {
                    data: blobs.join(hash),
                    partial: blobs.join(format!("{hash}.incomplete")),
                    lock: self.locks(name).join(format!("{hash}.lock")),
                    link: Some(repository.join("snapshots").join(commit).join(&file.path)),
                    twin: None,
                }
            }
            Self::Folder(_) => {
                let downloads = self.downloads(name);
                Place {
                    data: repository.join(&file.path),
                    partial: downloads.join(format!("{}.{hash}.incomplete", file.path)),
                    lock: downloads.join(format!("{}.lock", file.path)),
                    link: None,
                    twin: None,
                }
            }
        }
    }

    /// Where the parts of a repository's files are in a plain folder.
    pub(crate) fn downloads(&self, name: &str) -> PathBuf {
        self.repository(name).join(DOWNLOADS)
    }

    /// The lock of whoever fetches the file that `path` is a blob or a part of.
    pub(crate) fn lock_of(&self, name: &str, path: &Path) -> PathBuf {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        match self {
            // `HASH`, `HASH.incomplete`
            Self::HubCache(_) => {
                let hash = file.split('.').next().unwrap_or_default();
                self.locks(name).join(format!("{hash}.lock"))
            }
            // `NAME.HASH.incomplete`
            Self::Folder(_) => {
                let mut parts = file.rsplitn(3, '.');
                path.with_file_name(format!("{}.lock", parts.nth(2).unwrap_or_default()))
            }
        }
    }

    /// The folder with the locks of a repository, where the Hub's own client has them, too.
    fn locks(&self, name: &str) -> PathBuf {
        match self {
            Self::HubCache(root) => root.join(".locks").join(cached_name(name)),
            Self::Folder(_) => self.downloads(name),
        }
    }

    /// Makes a commit the one that counts, once its files are there.
    pub(crate) fn refer(&self, name: &str, commit: &str) -> io::Result<()> {
        let Self::HubCache(_) = self else {
            return Ok(());
        };
        let refs = self.repository(name).join("refs");
        if fs::read_to_string(refs.join("main")).is_ok_and(|text| text.trim() == commit) {
            return Ok(());
        }
        fs::create_dir_all(&refs)?;
        let new = refs.join(format!(".main.{}", std::process::id()));
        fs::write(&new, commit)?;
        fs::rename(&new, refs.join("main"))
    }
}

/// As in `models--lllyasviel--FramePackI2V_HY`.
pub(crate) fn cached_name(name: &str) -> String {
    format!("models--{}", name.replace('/', "--"))
}

/// Whether a folder is a cache of the Hub: repositories are in it.
pub(crate) fn has_repositories(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names = entries.map(|entry| entry.file_name());
    names.any(|name| name.to_string_lossy().starts_with("models--"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::HubHash;

    fn environment(cache: &Path) -> Environment {
        Environment {
            endpoint: "https://hub.example".parse().unwrap(),
            token: None,
            cache: Some(cache.to_owned()),
            is_offline: false,
        }
    }

    #[test]
    fn cache_is_known_by_its_place_and_by_its_folders() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let environment = environment(&root.join("cache"));
        let of = |folder: Option<&str>| {
            Target::of(folder.map(|folder| root.join(folder)), &environment).unwrap()
        };
        assert_eq!(of(None), Target::HubCache(root.join("cache")));
        assert_eq!(of(Some("cache")), Target::HubCache(root.join("cache")));
        assert_eq!(of(Some("other")), Target::Folder(root.join("other")));
        fs::create_dir_all(root.join("hf_download/hub/models--a--b")).unwrap();
        assert_eq!(
            of(Some("hf_download")),
            Target::HubCache(root.join("hf_download/hub"))
        );
        assert_eq!(
            of(Some("hf_download/hub")),
            Target::HubCache(root.join("hf_download/hub"))
        );
    }

    #[test]
    fn places_are_those_of_the_hubs_own_client() {
        let file = HubFile {
            path: "vae/config.json".into(),
            bytes: 2,
            hash: HubHash::GitBlob("ab".into()),
        };
        let place = Target::HubCache("/c".into()).place("o/n", "f00", &file);
        assert_eq!(place.data, Path::new("/c/models--o--n/blobs/ab"));
        assert_eq!(place.lock, Path::new("/c/.locks/models--o--n/ab.lock"));
        let link = Path::new("/c/models--o--n/snapshots/f00/vae/config.json");
        assert_eq!(place.link.as_deref(), Some(link));
        let place = Target::Folder("/d".into()).place("o/n", "f00", &file);
        assert_eq!(place.data, Path::new("/d/n/vae/config.json"));
        let partial = "/d/n/.cache/huggingface/download/vae/config.json.ab.incomplete";
        assert_eq!(place.partial, Path::new(partial));
        for target in [Target::HubCache("/c".into()), Target::Folder("/d".into())] {
            let place = target.place("o/n", "f00", &file);
            assert_eq!(target.lock_of("o/n", &place.partial), place.lock);
        }
    }
}
