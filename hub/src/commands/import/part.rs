//! Parts of the models in folders of their own, known by their places and their configurations: a folder `vae` may be
//! another model's.

use std::{
    fs,
    path::{Path, PathBuf},
};

use framepack_bundle::{Bundle, Component, Finding, look_at};

use crate::{published, target::cached_name};

/// A part of the models.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) component: Component,
    pub(super) source: Source,
    /// Whether it has the sizes of the published part.
    pub(super) is_of_size: bool,
    /// What is missing of it, or damaged.
    pub(super) findings: Vec<Finding>,
}

/// Where a part is.
#[derive(Debug)]
pub(super) enum Source {
    /// In a folder, as the Hub has it.
    Folder {
        folder: PathBuf,
        files: Vec<PathBuf>,
    },
    /// In one file, which has its weights alone.
    File(PathBuf),
}

impl Found {
    pub(super) fn path(&self) -> &Path {
        match &self.source {
            Source::Folder { folder, .. } => folder,
            Source::File(file) => file,
        }
    }

    pub(super) fn is_in(&self, folder: &Path) -> bool {
        self.path().starts_with(folder)
    }

    pub(super) fn is_complete(&self) -> bool {
        self.findings.is_empty()
    }

    /// The lower, the better.
    pub(super) fn rank(&self) -> impl Ord {
        let is_file = matches!(self.source, Source::File(_));
        (!self.is_of_size, !self.is_complete(), is_file)
    }

    pub(super) fn order(&self) -> Option<usize> {
        Component::ALL.iter().position(|it| *it == self.component)
    }
}

/// Whether a folder's name is one by which a bundle's parts are found.
pub(super) fn may_be(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default();
    name == "hub"
        || Component::ALL.into_iter().any(|component| {
            let (repository, _) = component.published();
            let (_, short) = repository.split_once('/').unwrap_or_default();
            name == component.folder() || name == short || *name == *cached_name(repository)
        })
}

/// The parts of a bundle in `root`.
pub(super) fn in_bundle(root: &Path) -> impl Iterator<Item = Found> {
    let bundle = Bundle::open(root).ok();
    Component::ALL.into_iter().filter_map(move |component| {
        // Without the slash at the end of a repository's own folder.
        let folder = bundle.as_ref()?.component(component).ok()?;
        let folder: PathBuf = folder.components().collect();
        let files = files(component, &folder);
        let (of, said) = said(component, &folder)?;
        let is_part = marks(of).iter().any(|mark| said.contains(mark)) && !files.is_empty();
        let said = serde_json::from_str(&said).unwrap_or_default();
        is_part.then(|| Found {
            component,
            is_of_size: published::is_of_size(of, &said),
            findings: look_at(component, &folder),
            source: Source::Folder { folder, files },
        })
    })
}

/// Whether a folder has all of a part.
pub(super) fn is_whole(component: Component, folder: &Path) -> bool {
    let mut landmarks = component.landmarks().iter();
    landmarks.any(|name| folder.join(name).is_file()) && look_at(component, folder).is_empty()
}

/// The configuration that tells what a folder has, and of which part it is. Tokenizers have none that does: their text
/// encoders beside them have.
fn said(component: Component, folder: &Path) -> Option<(Component, String)> {
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
    let mut names = of.landmarks().iter();
    let said = names.find_map(|name| fs::read_to_string(folder.join(name)).ok())?;
    Some((of, said))
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

/// What is there of the files of a part.
fn files(component: Component, folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let named = entries.filter(|entry| component.has_file(&entry.file_name().to_string_lossy()));
    let files = named
        .map(|entry| entry.path())
        .filter(|file| file.is_file());
    let mut files: Vec<_> = files.collect();
    files.sort();
    files
}
