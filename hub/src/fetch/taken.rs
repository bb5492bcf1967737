//! Parts that a plain folder has in another form than the Hub: weights that `import` linked as one file, or a folder
//! `vae` beside the repositories'. They count as present, are not fetched a second time, and are compared with nothing.

use std::{
    fs,
    path::{Path, PathBuf},
};

use framepack_bundle::{Bundle, Component, look_at};

use crate::{
    api::{HubFile, Listing},
    manifest::Manifest,
    target::Target,
};

/// A part that is taken as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) path: PathBuf,
    component: Component,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// One file with its weights.
    Weights,
    /// All of it, in a folder that counts before the repository's.
    Folder,
}

/// All that a plain folder has of the listings' repositories.
pub(crate) fn taken(target: &Target, listings: &[Listing]) -> Vec<Taken> {
    let Target::Folder(_) = target else {
        return Vec::new();
    };
    let of_listing = |listing: &Listing| {
        let components = listing.repository.components.iter().copied();
        let found = components.filter_map(|component| {
            let folder = in_folder(target, component);
            folder.or_else(|| as_one_file(target, listing, component))
        });
        found.collect::<Vec<_>>()
    };
    listings.iter().flat_map(of_listing).collect()
}

fn in_folder(target: &Target, component: Component) -> Option<Taken> {
    let folder = Bundle::open(target.root())
        .ok()?
        .component(component)
        .ok()?;
    let repository = target.repository(component.published().0);
    let is_taken = !folder.starts_with(repository) && look_at(component, &folder).is_empty();
    is_taken.then_some(Taken {
        path: folder,
        component,
        form: Form::Folder,
    })
}

fn as_one_file(target: &Target, listing: &Listing, component: Component) -> Option<Taken> {
    let base = component.weights()?;
    let (name, below) = component.published();
    let named = Path::new(below).join(format!("{base}.safetensors"));
    let path = target.repository(name).join(&named);
    let bytes = fs::metadata(&path).ok()?.len();
    let mut files = listing.files.iter();
    let is_other = match files.find(|file| named == Path::new(&file.path)) {
        Some(file) => path.is_symlink() && bytes != file.bytes,
        // The Hub has shards.
        None => !path.with_extension("safetensors.index.json").exists(),
    };
    let manifest = Manifest::read(&target.manifest(name));
    let was_fetched = manifest.is_some_and(|it| it.has(&named));
    let is_taken = is_other && !was_fetched && look_at(component, path.parent()?).is_empty();
    is_taken.then_some(Taken {
        path,
        component,
        form: Form::Weights,
    })
}

impl Taken {
    /// Whether a file of the Hub is not needed beside it.
    pub(super) fn replaces(&self, listing: &Listing, file: &HubFile) -> bool {
        let is_ours = listing.repository.component_of(&file.path) == Some(self.component);
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        let mut weights = self.component.weights().into_iter();
        is_ours && (self.form == Form::Folder || weights.any(|base| name.starts_with(base)))
    }
}
