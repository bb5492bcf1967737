//! The parts of the models that a folder has, and what is known of their files' hashes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use framepack_bundle::{Bundle, Component};

use crate::{hash::HubHash, manifest::Manifest, target::MANIFEST};

/// A part that is there.
#[derive(Debug)]
pub(super) struct Installed {
    pub(super) component: Component,
    pub(super) folder: PathBuf,
    pub(super) files: Vec<InstalledFile>,
}

/// One of its files.
#[derive(Debug)]
pub(super) struct InstalledFile {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    pub(super) known: Known,
}

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Known {
    /// It was checked, and nobody has written it since.
    Checked(HubHash),
    /// What it should come to.
    Hash(HubHash),
    Nothing,
}

impl Installed {
    /// All that `root` has; nothing where there is no such folder.
    pub(super) fn all(root: &Path) -> Vec<Self> {
        let Ok(bundle) = Bundle::open(root) else {
            return Vec::new();
        };
        let found = Component::ALL.into_iter().filter_map(|component| {
            // Without the slash at the end of a repository's own folder.
            let folder = bundle.component(component).ok()?.components().collect();
            Some(Self::of(component, folder, root))
        });
        found.collect()
    }

    fn of(component: Component, folder: PathBuf, root: &Path) -> Self {
        let manifest = manifest_of(&folder, root);
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        let named =
            entries.filter(|entry| component.has_file(&entry.file_name().to_string_lossy()));
        let mut files: Vec<_> = named
            .map(|entry| entry.path())
            .filter_map(|path| {
                let bytes = fs::metadata(&path).ok()?.len();
                let known = known(&path, component, manifest.as_ref());
                Some(InstalledFile { path, bytes, known })
            })
            .collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Self {
            component,
            folder,
            files,
        }
    }

    /// A file's path in the repository that the part is published in.
    pub(super) fn published(&self, file: &InstalledFile) -> PathBuf {
        let (_, folder) = self.component.published();
        Path::new(folder).join(file.path.file_name().unwrap_or_default())
    }

    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

impl Known {
    pub(super) fn hash(&self) -> Option<&HubHash> {
        match self {
            Self::Checked(hash) | Self::Hash(hash) => Some(hash),
            Self::Nothing => None,
        }
    }
}

/// The note of the repository that a folder belongs to: in it or above, but not outside `root`.
fn manifest_of(folder: &Path, root: &Path) -> Option<Manifest> {
    let mut above = folder
        .ancestors()
        .take_while(|above| above.starts_with(root));
    above.find_map(|above| Manifest::read(&above.join(MANIFEST)))
}

fn known(path: &Path, component: Component, manifest: Option<&Manifest>) -> Known {
    let (repository, folder) = component.published();
    let manifest = manifest.filter(|manifest| manifest.repository == repository);
    let blob = blob(path);
    let of_manifest = manifest.and_then(|manifest| {
        let below = Path::new(folder).join(path.file_name()?);
        // A link to another blob is the file of another commit.
        let is_same = |hash: &HubHash| blob.as_ref().is_none_or(|blob| blob == hash);
        let mut files = manifest.files.iter();
        files.find(|file| Path::new(&file.path) == below && is_same(&file.hub))
    });
    if let Some(checked) = of_manifest {
        let hash = HubHash::Sha256(checked.sha256.clone());
        return if checked.is_still(path) {
            Known::Checked(hash)
        } else {
            Known::Hash(hash)
        };
    }
    blob.map_or(Known::Nothing, Known::Hash)
}

/// In the Hub's cache a file is a link to a blob that is named by its hash.
fn blob(path: &Path) -> Option<HubHash> {
    let target = fs::read_link(path).ok()?;
    target.parent()?.ends_with("blobs").then_some(())?;
    HubHash::parse(target.file_name()?.to_str()?)
}
