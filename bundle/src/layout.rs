//! Where each component's folder is.
//!
//! Three layouts are accepted, all as the Hugging Face Hub delivers them: one folder with a subfolder for each
//! component; the Hub's cache (`models--ORG--NAME/refs/main` naming a commit in `snapshots/`); plain folders
//! named after the repositories, side by side.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use framepack_jobs::{BundleDefaults, StepCacheKind};

use crate::{error::BundleError, hub_cache, published::is_published_transformer, stand_in};

/// A part of a bundle with a folder of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Component {
    /// FramePack's transformer.
    Transformer,
    /// FramePack-F1's transformer.
    TransformerF1,
    /// HunyuanVideo's causal video autoencoder.
    Vae,
    /// Llama, the prompt's encoder.
    TextEncoder,
    /// CLIP-L, the prompt's pooled encoder.
    TextEncoder2,
    /// Llama's tokenizer.
    Tokenizer,
    /// CLIP's tokenizer.
    Tokenizer2,
    /// SigLIP, the start image's encoder.
    ImageEncoder,
    /// SigLIP's image processor.
    FeatureExtractor,
}

impl Component {
    /// Its subfolder in a bundle.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Transformer => "transformer",
            Self::TransformerF1 => "transformer_f1",
            Self::Vae => "vae",
            Self::TextEncoder => "text_encoder",
            Self::TextEncoder2 => "text_encoder_2",
            Self::Tokenizer => "tokenizer",
            Self::Tokenizer2 => "tokenizer_2",
            Self::ImageEncoder => "image_encoder",
            Self::FeatureExtractor => "feature_extractor",
        }
    }

    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Transformer,
        Self::TransformerF1,
        Self::Vae,
        Self::TextEncoder,
        Self::TextEncoder2,
        Self::Tokenizer,
        Self::Tokenizer2,
        Self::ImageEncoder,
        Self::FeatureExtractor,
    ];

    /// Names of its weight files without suffix, as the libraries that write them call them; `None` if it has none.
    pub fn weights(self) -> Option<&'static str> {
        match self {
            Self::Transformer | Self::TransformerF1 | Self::Vae => Some("diffusion_pytorch_model"),
            Self::TextEncoder | Self::TextEncoder2 | Self::ImageEncoder => Some("model"),
            Self::Tokenizer | Self::Tokenizer2 | Self::FeatureExtractor => None,
        }
    }

    /// Files of which its folder always has one.
    pub fn landmarks(self) -> &'static [&'static str] {
        match self {
            Self::Tokenizer | Self::Tokenizer2 => &["tokenizer.json", "vocab.json"],
            Self::FeatureExtractor => &["preprocessor_config.json"],
            _ => &["config.json"],
        }
    }

    /// Files beside its weights that are read where they are there.
    pub(crate) fn files(self) -> &'static [&'static str] {
        match self {
            Self::Tokenizer | Self::Tokenizer2 => &[
                "tokenizer.json",
                "vocab.json",
                "merges.txt",
                "tokenizer_config.json",
                "special_tokens_map.json",
            ],
            _ => self.landmarks(),
        }
    }

    /// Whether a file of that name in its folder is one of its own: a configuration, a table of its tokenizer, weights.
    pub fn has_file(self, name: &str) -> bool {
        let is_weights = self.weights().is_some_and(|base| {
            let rest = name.strip_prefix(base);
            rest.is_some_and(|rest| match rest {
                ".safetensors" | ".safetensors.index.json" => true,
                _ => is_shard(rest),
            })
        });
        is_weights || self.files().contains(&name)
    }

    /// The Hub repository that it is published in, and its folder there.
    pub fn published(self) -> (&'static str, &'static str) {
        match self {
            Self::Transformer => ("lllyasviel/FramePackI2V_HY", ""),
            Self::TransformerF1 => ("lllyasviel/FramePack_F1_I2V_HY_20250503", ""),
            Self::ImageEncoder | Self::FeatureExtractor => {
                ("lllyasviel/flux_redux_bfl", self.folder())
            }
            _ => ("hunyuanvideo-community/HunyuanVideo", self.folder()),
        }
    }
}

/// As in `-00001-of-00003.safetensors`.
fn is_shard(rest: &str) -> bool {
    let numbers = rest
        .strip_prefix('-')
        .and_then(|rest| rest.strip_suffix(".safetensors"))
        .and_then(|rest| rest.split_once("-of-"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    numbers.is_some_and(|(number, of)| is_number(number) && is_number(of))
}

/// A bundle on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    root: PathBuf,
}

impl Bundle {
    /// A bundle at `root`; what it holds is looked up when it is asked for.
    pub fn open(root: &Path) -> Result<Self, BundleError> {
        let entries = fs::read_dir(root);
        let mut entries = entries.map_err(|error| match error.kind() {
            io::ErrorKind::NotADirectory if root.exists() => {
                incomplete(root, "it is a file, not a folder")
            }
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                incomplete(root, "no such folder")
            }
            _ => incomplete(root, format!("the folder can't be read: {error}")),
        })?;
        match entries.next() {
            Some(_) => Ok(Self { root: root.into() }),
            None => Err(incomplete(
                root,
                "the folder is empty; is the disk mounted that has the models?",
            )),
        }
    }

    /// The folder of a component.
    pub fn component(&self, component: Component) -> Result<PathBuf, BundleError> {
        let candidates = self.candidates(component);
        let landmarks = component.landmarks();
        let is_there = |dir: &&PathBuf| landmarks.iter().any(|file| dir.join(file).is_file());
        if let Some(folder) = candidates.iter().find(is_there) {
            return Ok(folder.clone());
        }
        let begun = candidates
            .iter()
            .flat_map(|dir| landmarks.iter().map(|file| dir.join(file)))
            .find_map(|file| stand_in::of(&file));
        Err(match begun {
            Some(stand_in) => stand_in.into(),
            None => self.lacks(component, &candidates),
        })
    }

    fn lacks(&self, component: Component, candidates: &[PathBuf]) -> BundleError {
        let relative = |dir: &PathBuf| {
            let relative = dir.strip_prefix(&self.root).unwrap_or(dir);
            relative.display().to_string()
        };
        // Of the other layouts, those of which there is a part.
        let is_begun = |dir: &&PathBuf| {
            let below = dir.strip_prefix(&self.root).unwrap_or(dir);
            let first = below.iter().next().map(|first| self.root.join(first));
            first.is_some_and(|first| first.is_dir())
        };
        let others = candidates.iter().skip(1).filter(is_begun);
        let places = candidates.iter().take(1).chain(others).map(relative);
        let reason = format!(
            "no {}: looked for {} in {}",
            component.folder(),
            component.landmarks().join(" or "),
            places.collect::<Vec<_>>().join(", "),
        );
        incomplete(&self.root, reason)
    }

    /// Which part renders F1's jobs: F1's own transformer, or the other one in a bundle that says so of it. One that is
    /// half there is not replaced by the other.
    ///
    /// # Errors
    ///
    /// There is none, or `framepack.json` can't be used.
    pub fn f1_transformer(&self) -> Result<Component, BundleError> {
        match self.component(Component::TransformerF1) {
            Err(BundleError::Incomplete { .. }) if self.defaults()?.renders_f1 => {
                Ok(Component::Transformer)
            }
            found => found.map(|_| Component::TransformerF1),
        }
    }

    /// What its models were trained for.
    pub fn defaults(&self) -> Result<BundleDefaults, BundleError> {
        let file = self.root.join(BundleDefaults::FILE);
        match framepack_yaml::read_if_present(&file, BundleDefaults::parse) {
            Ok(defaults) => {
                let defaults = defaults.unwrap_or_default();
                Ok(BundleDefaults {
                    step_cache: defaults.step_cache.or_else(|| self.usual_step_cache()),
                    ..defaults
                })
            }
            Err(error) => Err(match stand_in::of(&file) {
                Some(stand_in) => stand_in.into(),
                None => error.into(),
            }),
        }
    }

    /// The step cache of a bundle that does not say: the original application's for the published model, for which its
    /// threshold was found. `None` where there is no transformer yet.
    pub fn usual_step_cache(&self) -> Option<StepCacheKind> {
        let folders = [Component::Transformer, Component::TransformerF1];
        let folder = folders
            .into_iter()
            .find_map(|component| self.component(component).ok())?;
        Some(if is_published_transformer(&folder) {
            StepCacheKind::TeaCache
        } else {
            StepCacheKind::Off
        })
    }

    fn candidates(&self, component: Component) -> Vec<PathBuf> {
        let (repository, folder) = component.published();
        let (_, name) = repository
            .split_once('/')
            .expect("repositories are written as owner/name");
        let cached = format!("models--{}", repository.replace('/', "--"));
        let mut dirs = vec![
            self.root.join(component.folder()),
            self.root.join(name).join(folder),
        ];
        for cache in [self.root.join(&cached), self.root.join("hub").join(&cached)] {
            // Without one the literal name shows in the error what was looked for.
            let commit = hub_cache::commit(&cache);
            let commit = commit.as_deref().unwrap_or("COMMIT-IN-refs-main");
            dirs.push(cache.join("snapshots").join(commit).join(folder));
        }
        dirs
    }
}

fn incomplete(path: &Path, reason: impl Into<String>) -> BundleError {
    BundleError::Incomplete {
        path: path.into(),
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests;
