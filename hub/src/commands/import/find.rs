//! Parts of the models below a folder, known by their places and their configurations: a folder `vae` may be another
//! model's.

use std::{
    collections::VecDeque,
    fs,
    path::{Path, PathBuf},
};

use framepack_bundle::{Bundle, Component};

/// As in `ComfyUI/models/diffusers/ORG/NAME/FOLDER`.
const MAX_DEPTH: usize = 6;
/// Somebody has named a whole disk.
const MAX_FOLDERS: usize = 50_000;

/// A part of the models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) component: Component,
    pub(super) folder: PathBuf,
    pub(super) files: Vec<PathBuf>,
}

/// The first of each part, outer folders first.
pub(super) fn find(from: &Path) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    // `from` may be a repository's own folder.
    let parent = from.parent().unwrap_or(from).to_owned();
    let mut roots = VecDeque::from([(parent, 0), (from.to_owned(), 0)]);
    for _ in 0..MAX_FOLDERS {
        let Some((root, depth)) = roots.pop_front() else {
            break;
        };
        for part in parts(&root, from) {
            if !found.iter().any(|known| known.component == part.component) {
                found.push(part);
            }
        }
        if root.starts_with(from) && depth < MAX_DEPTH {
            roots.extend(folders(&root).map(|folder| (folder, depth + 1)));
        }
    }
    found.sort_by_key(|found| Component::ALL.iter().position(|it| *it == found.component));
    found
}

/// The parts of a bundle in `root`, as far as they are below `from`.
fn parts(root: &Path, from: &Path) -> Vec<Found> {
    let Ok(bundle) = Bundle::open(root) else {
        return Vec::new();
    };
    let found = Component::ALL.into_iter().filter_map(|component| {
        let folder: PathBuf = bundle.component(component).ok()?.components().collect();
        let is_ours = folder.starts_with(from) && is_part(component, &folder);
        is_ours.then(|| Found {
            component,
            files: files(component, &folder),
            folder,
        })
    });
    found.filter(|found| !found.files.is_empty()).collect()
}

/// Whether a folder's configuration is that of the part. Tokenizers say nothing: their text encoders beside them do.
fn is_part(component: Component, folder: &Path) -> bool {
    let (of, folder) = match component {
        Component::Tokenizer => (
            Component::TextEncoder,
            folder.with_file_name("text_encoder"),
        ),
        Component::Tokenizer2 => (
            Component::TextEncoder2,
            folder.with_file_name("text_encoder_2"),
        ),
        _ => (component, folder.to_owned()),
    };
    let said = of
        .landmarks()
        .iter()
        .find_map(|name| fs::read_to_string(folder.join(name)).ok());
    said.is_some_and(|said| marks(of).iter().any(|mark| said.contains(mark)))
}

/// What the configurations of the parts have.
fn marks(component: Component) -> &'static [&'static str] {
    match component {
        Component::Transformer | Component::TransformerF1 => &[
            "HunyuanVideoTransformer3DModelPacked",
            "HunyuanVideoFramepackTransformer3DModel",
        ],
        Component::Vae => &["AutoencoderKLHunyuanVideo"],
        Component::TextEncoder | Component::Tokenizer => &["LlamaModel", "LlamaForCausalLM"],
        Component::TextEncoder2 | Component::Tokenizer2 => &["CLIPTextModel"],
        Component::ImageEncoder => &["SiglipVisionModel"],
        Component::FeatureExtractor => &["SiglipImageProcessor"],
    }
}

fn files(component: Component, folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let named = entries.filter(|entry| component.has_file(&entry.file_name().to_string_lossy()));
    let mut files: Vec<_> = named.map(|entry| entry.path()).collect();
    files.sort();
    files
}

/// The folders in a folder, without hidden ones and without those behind links.
fn folders(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut folders: Vec<_> = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
        .map(|entry| entry.path())
        .collect();
    folders.sort();
    folders.into_iter()
}
