//! Parts that a plain folder has in another form than the Hub: weights that `import` linked, as one file or in other
//! shards, or a folder `vae` beside the repositories'. They count as present, are not fetched a second time, and are compared with nothing.

use std::{
    collections::BTreeMap,
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
    /// Its weights, in other files.
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
            folder.or_else(|| in_other_files(target, listing, component))
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

fn in_other_files(target: &Target, listing: &Listing, component: Component) -> Option<Taken> {
    let (name, below) = component.published();
    let folder: PathBuf = target.repository(name).join(below).components().collect();
    let here = weights_in(&folder, component);
    let of_hub = weights_of(listing, component);
    if here.is_empty() || here == of_hub {
        return None;
    }
    // Files that are no links came from the Hub, unless they are named as none of its files.
    let is_link = |file: &String| folder.join(file).is_symlink();
    let are_theirs = here.keys().all(is_link) || !here.keys().any(|it| of_hub.contains_key(it));
    let manifest = Manifest::read(&target.manifest(name));
    let was_fetched = |file: &String| {
        let path = Path::new(below).join(file);
        manifest.as_ref().is_some_and(|it| it.has(&path))
    };
    let is_taken =
        are_theirs && !here.keys().any(was_fetched) && look_at(component, &folder).is_empty();
    let path = match here.keys().next() {
        Some(only) if here.len() == 1 => folder.join(only),
        _ => folder,
    };
    is_taken.then_some(Taken {
        path,
        component,
        form: Form::Weights,
    })
}

/// The files with a part's weights in a folder, and their lengths.
fn weights_in(folder: &Path, component: Component) -> BTreeMap<String, u64> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let weights = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let bytes = fs::metadata(entry.path()).ok()?.len();
        is_weights(component, &name).then_some((name, bytes))
    });
    weights.collect()
}

/// Those that the Hub has.
fn weights_of(listing: &Listing, component: Component) -> BTreeMap<String, u64> {
    let is_ours = |file: &&HubFile| listing.repository.component_of(&file.path) == Some(component);
    let files = listing.files.iter().filter(is_ours);
    let files = files.map(|file| (file_name(file).to_owned(), file.bytes));
    files
        .filter(|(name, _)| is_weights(component, name))
        .collect()
}

fn is_weights(component: Component, name: &str) -> bool {
    let mut bases = component.weights().into_iter();
    bases.any(|base| name.starts_with(base)) && component.has_file(name)
}

fn file_name(file: &HubFile) -> &str {
    file.path.rsplit('/').next().unwrap_or(&file.path)
}

impl Taken {
    /// Whether a file of the Hub is not needed beside it.
    pub(super) fn replaces(&self, listing: &Listing, file: &HubFile) -> bool {
        let is_ours = listing.repository.component_of(&file.path) == Some(self.component);
        is_ours && (self.form == Form::Folder || is_weights(self.component, file_name(file)))
    }
}
