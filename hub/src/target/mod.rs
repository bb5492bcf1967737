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
    place::{Place, Presence, Taking, create_folder_of, has_no_links, is_unwritable},
    space::{free_bytes, is_disk_full},
};
use crate::{
    api::HubFile,
    catalog::{Repository, Selection},
    environment::Environment,
    hash::HubHash,
};

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
    /// The folder that a user names, or the Hub's cache. A named one is a cache if it is the user's, or has repositories as
    /// caches have them, or has such a folder `hub` with FramePack's models.
    pub(crate) fn of(folder: Option<PathBuf>, environment: &Environment) -> io::Result<Self> {
        let (folder, is_cache) = match folder {
            Some(folder) => (folder, false),
            None => (
                environment.cache.clone().ok_or(io::ErrorKind::NotFound)?,
                true,
            ),
        };
        let folder = std::path::absolute(folder)?;
        let is_cache = is_cache
            || environment
                .cache
                .as_ref()
                .is_some_and(|cache| is_same(&folder, cache))
            || has_repositories(&folder);
        Ok(match is_cache {
            true => Self::HubCache(folder),
            false if has_models(&folder.join("hub")) => Self::HubCache(folder.join("hub")),
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

    /// The lock of whoever fetches the file that `path` is a blob or a part of. `None`: its name is none of ours, so nobody
    /// can say who is at it.
    pub(crate) fn lock_of(&self, repository: &Repository, path: &Path) -> Option<PathBuf> {
        let name = repository.name;
        let file = path.file_name()?.to_str()?;
        let file = file.strip_suffix(".incomplete").unwrap_or(file);
        match self {
            // `HASH`, `HASH.incomplete`
            Self::HubCache(_) => {
                HubHash::parse(file)?;
                Some(self.locks(name).join(format!("{file}.lock")))
            }
            // `NAME.HASH.incomplete`; the Hub's own client has a digest in the place of the name, and its lock by the name.
            Self::Folder(_) => {
                let (file, hash) = file.rsplit_once('.')?;
                HubHash::parse(hash)?;
                let named = path.with_file_name(file);
                let below = named.strip_prefix(self.downloads(name)).ok()?.to_str()?;
                repository.component_of(below)?;
                Some(path.with_file_name(format!("{file}.lock")))
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
fn has_repositories(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names = entries.map(|entry| entry.file_name());
    names.any(|name| name.to_string_lossy().starts_with("models--"))
}

/// Whether it has one of FramePack's, too.
fn has_models(cache: &Path) -> bool {
    let mut repositories = Selection::All.repositories().into_iter();
    repositories.any(|it| cache.join(cached_name(it.name)).is_dir())
}

/// Whether two paths are the same folder, also by links and before it is there.
fn is_same(a: &Path, b: &Path) -> bool {
    a == b || fs::canonicalize(a).is_ok_and(|a| fs::canonicalize(b).is_ok_and(|b| a == b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0123456789012345678901234567890123456789";
    const HUNYUAN: &str = "hunyuanvideo-community/HunyuanVideo";

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
        fs::create_dir_all(root.join("cache")).unwrap();
        fs::create_dir_all(root.join("x")).unwrap();
        assert_eq!(
            of(Some("x/../cache")),
            Target::HubCache(root.join("x/../cache"))
        );
        assert_eq!(of(Some("other")), Target::Folder(root.join("other")));
        fs::create_dir_all(root.join("hf_download/hub/models--a--b")).unwrap();
        assert_eq!(
            of(Some("hf_download")),
            Target::Folder(root.join("hf_download"))
        );
        let ours = root.join("hf_download/hub").join(cached_name(HUNYUAN));
        fs::create_dir_all(ours).unwrap();
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
            hash: HubHash::GitBlob(HASH.into()),
        };
        let repositories = Selection::F1.repositories();
        let hunyuan = repositories.iter().find(|it| it.name == HUNYUAN).unwrap();
        let place = Target::HubCache("/c".into()).place(HUNYUAN, "f00", &file);
        let cached = Path::new("/c").join(cached_name(HUNYUAN));
        assert_eq!(place.data, cached.join("blobs").join(HASH));
        let locks = Path::new("/c/.locks").join(cached_name(HUNYUAN));
        assert_eq!(place.lock, locks.join(format!("{HASH}.lock")));
        let link = cached.join("snapshots/f00/vae/config.json");
        assert_eq!(place.link, Some(link));
        let place = Target::Folder("/d".into()).place(HUNYUAN, "f00", &file);
        assert_eq!(place.data, Path::new("/d/HunyuanVideo/vae/config.json"));
        let downloads = Path::new("/d/HunyuanVideo/.cache/huggingface/download");
        let partial = format!("vae/config.json.{HASH}.incomplete");
        assert_eq!(place.partial, downloads.join(partial));
        for target in [Target::HubCache("/c".into()), Target::Folder("/d".into())] {
            let place = target.place(HUNYUAN, "f00", &file);
            assert_eq!(target.lock_of(hunyuan, &place.partial), Some(place.lock));
        }
        let folder = Target::Folder("/d".into());
        for theirs in [
            format!("vae/vk2LiyWhXHqxRgFo2qSxIMZnzAo=.{HASH}.incomplete"),
            "vae/config.json.incomplete".to_owned(),
        ] {
            assert_eq!(folder.lock_of(hunyuan, &downloads.join(theirs)), None);
        }
    }
}
