//! Weights that `import` linked as one file, where the Hub has other files: they count as present, and are compared with
//! nothing.

use std::{
    fs,
    path::{Path, PathBuf},
};

use framepack_bundle::{Component, look_at};

use crate::{
    api::{HubFile, Listing},
    manifest::Manifest,
    target::Target,
};

/// A part's weights as one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Imported {
    pub(crate) path: PathBuf,
    component: Component,
}

/// All that a plain folder has of the listings' repositories.
pub(crate) fn imported(target: &Target, listings: &[Listing]) -> Vec<Imported> {
    let Target::Folder(_) = target else {
        return Vec::new();
    };
    let of_listing = |listing: &Listing| {
        let components = listing.repository.components.iter();
        let found = components.filter_map(|component| of_part(target, listing, *component));
        found.collect::<Vec<_>>()
    };
    listings.iter().flat_map(of_listing).collect()
}

fn of_part(target: &Target, listing: &Listing, component: Component) -> Option<Imported> {
    let base = component.weights()?;
    let (name, below) = component.published();
    let named = Path::new(below).join(format!("{base}.safetensors"));
    let path = target.repository(name).join(&named);
    let bytes = fs::metadata(&path).ok()?.len();
    let of_hub = listing
        .files
        .iter()
        .find(|file| named == Path::new(&file.path));
    let is_other = match of_hub {
        Some(file) => path.is_symlink() && bytes != file.bytes,
        // The Hub has shards.
        None => !path.with_extension("safetensors.index.json").exists(),
    };
    let manifest = Manifest::read(&target.manifest(name));
    let was_fetched = manifest.is_some_and(|it| it.has(&named));
    let folder = path.parent()?;
    let is_imported = is_other && !was_fetched && look_at(component, folder).is_empty();
    is_imported.then_some(Imported { path, component })
}

impl Imported {
    /// Whether a file of the Hub has weights of the same part.
    pub(super) fn replaces(&self, listing: &Listing, file: &HubFile) -> bool {
        let is_ours = listing.repository.component_of(&file.path) == Some(self.component);
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        let mut weights = self.component.weights().into_iter();
        is_ours && weights.any(|base| name.starts_with(base))
    }
}
