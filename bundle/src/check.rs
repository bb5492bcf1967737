//! A look at all of a bundle: is every part there, and is each file what its name says.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use framepack_jobs::{Code, Model};

use crate::{
    error::BundleError,
    layout::{Bundle, Component},
    outline::Outline,
    stand_in,
};

mod weights;

/// What a look at a bundle tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// What is wrong, in the order of the components.
    pub findings: Vec<Finding>,
    /// Changes when a file comes, goes or is written.
    pub signature: u64,
    /// Bytes of the weight files of a transformer; of the larger one, where there are two.
    pub transformer_bytes: u64,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The code that a job would fail with.
    pub code: Code,
    /// What is wrong, where. Lower case, no trailing dot.
    pub message: String,
    /// The model whose jobs would meet it; `None`: all jobs would.
    pub model: Option<Model>,
    /// The part that it is wrong with; `None`: with the bundle as a whole.
    pub component: Option<Component>,
}

impl Look {
    /// Whether jobs of this model would meet nothing of what was found.
    pub fn is_sound_for(&self, model: Model) -> bool {
        let mut findings = self.findings.iter();
        !findings.any(|finding| finding.model.is_none_or(|of| of == model))
    }

    /// The model whose transformer is not there at all, where the other's is: nobody has to have both.
    pub fn absent_model(&self) -> Option<Model> {
        let mut absent = self.findings.iter().filter(|finding| finding.is_absence());
        match (absent.next(), absent.next()) {
            (Some(finding), None) => finding.model,
            _ => None,
        }
    }

    /// What is wrong beside that.
    pub fn faults(&self) -> impl Iterator<Item = &Finding> {
        let absent = self.absent_model();
        let is_fault = move |finding: &&Finding| absent.is_none() || !finding.is_absence();
        self.findings.iter().filter(is_fault)
    }
}

impl Finding {
    /// That one of two transformers is not there.
    fn is_absence(&self) -> bool {
        let transformers = [Component::Transformer, Component::TransformerF1];
        let is_transformer = self.component.is_some_and(|it| transformers.contains(&it));
        is_transformer && self.model.is_some() && self.code == Code::MODEL_INCOMPLETE
    }
}

/// What is known of a bundle so far.
#[derive(Debug, Default)]
struct Survey {
    findings: Vec<Finding>,
    signature: DefaultHasher,
    transformer_bytes: u64,
    /// Whose files are looked at.
    model: Option<Model>,
    /// The part that is looked at.
    component: Option<Component>,
}

/// Looks at the bundle in `root`, and at the one in `f1_root` that has F1's transformer, if that is another one. Reads
/// names, lengths, headers and configurations.
pub fn look(root: &Path, f1_root: Option<&Path>) -> Look {
    let mut survey = Survey::default();
    if let Some(bundle) = survey.open(root) {
        let shares =
            f1_root.is_none() && matches!(bundle.f1_transformer(), Ok(Component::Transformer));
        for component in Component::ALL {
            survey.model = match component {
                Component::TransformerF1 if f1_root.is_some() || shares => continue,
                Component::TransformerF1 => Some(Model::F1),
                Component::Transformer if !shares => Some(Model::Original),
                _ => None,
            };
            survey.component(&bundle, component);
        }
    }
    survey.model = Some(Model::F1);
    survey.component = None;
    if let Some(bundle) = f1_root.and_then(|root| survey.open(root)) {
        let is_there = |component: &Component| bundle.component(*component).is_ok();
        let either = [Component::TransformerF1, Component::Transformer];
        let found = either.into_iter().find(is_there);
        survey.component(&bundle, found.unwrap_or(Component::TransformerF1));
    }
    Look {
        findings: survey.findings,
        signature: survey.signature.finish(),
        transformer_bytes: survey.transformer_bytes,
    }
}

/// Looks at one part in its folder, wherever that is.
pub fn look_at(component: Component, folder: &Path) -> Vec<Finding> {
    let mut survey = Survey::default();
    survey.part(folder, component);
    survey.findings
}

impl Survey {
    fn open(&mut self, root: &Path) -> Option<Bundle> {
        let opened = Bundle::open(root).and_then(|bundle| bundle.defaults().map(|_| bundle));
        self.note(&root.join("framepack.json"));
        opened.map_err(|error| self.found(&error)).ok()
    }

    fn component(&mut self, bundle: &Bundle, component: Component) {
        self.component = Some(component);
        match bundle.component(component) {
            Ok(folder) => self.part(&folder, component),
            Err(error) => self.found(&error),
        }
    }

    fn part(&mut self, folder: &Path, component: Component) {
        self.component = Some(component);
        for name in component.files() {
            let file = folder.join(name);
            self.note(&file);
            if file.is_file() && file.extension().is_some_and(|suffix| suffix == "json") {
                self.json(&file, component);
            } else if let Some(stand_in) = stand_in::of(&file) {
                self.found(&stand_in.into());
            }
        }
        self.vocabulary(folder, component);
        if let Some(base) = component.weights() {
            let bytes = self.weights(folder, base);
            if matches!(component, Component::Transformer | Component::TransformerF1) {
                self.transformer_bytes = self.transformer_bytes.max(bytes);
            }
        }
    }

    /// Whether a tokenizer has one of the files that hold its vocabulary.
    fn vocabulary(&mut self, folder: &Path, component: Component) {
        let has = |name: &str| folder.join(name).is_file();
        let (expected, lacks) = match component {
            Component::Tokenizer => ("tokenizer.json", &["tokenizer.json"][..]),
            Component::Tokenizer2 => (
                "vocab.json with merges.txt, or tokenizer.json",
                &["tokenizer.json", "vocab.json", "merges.txt"][..],
            ),
            _ => return,
        };
        if has("tokenizer.json") || (lacks.len() > 1 && has("vocab.json") && has("merges.txt")) {
            return;
        }
        // What lies in the place of one is found already.
        if lacks
            .iter()
            .all(|name| stand_in::of(&folder.join(name)).is_none())
        {
            let message = format!("{} has no tokenizer: expected {expected}", folder.display());
            self.add(Code::TOKENIZER, message);
        }
    }

    /// A configuration, or a tokenizer's table.
    fn json(&mut self, path: &Path, component: Component) {
        let code = match component {
            Component::Tokenizer | Component::Tokenizer2 => Code::TOKENIZER,
            _ => Code::MODEL_CONFIG,
        };
        let name = path.file_name().unwrap_or_default();
        let reason = match Outline::read(path) {
            Ok(outline) if name == "tokenizer.json" && !outline.has_model => {
                "it has no `model`".to_owned()
            }
            Ok(outline) if name == "vocab.json" && outline.is_empty => "it has no token".to_owned(),
            Ok(_) => return,
            Err(reason) => reason,
        };
        self.fault(path, code, &format!("{}: {reason}", path.display()));
    }

    /// Notes a fault: by what lies in the file's place, if that is known.
    fn fault(&mut self, path: &Path, code: Code, message: &str) {
        match stand_in::of(path) {
            Some(stand_in) => self.found(&stand_in.into()),
            None => self.add(code, message.to_owned()),
        }
    }

    fn found(&mut self, error: &BundleError) {
        self.add(error.code(), error.to_string());
    }

    fn add(&mut self, code: Code, message: String) {
        let finding = Finding {
            code,
            message,
            model: self.model,
            component: self.component,
        };
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// Notes how a file is now.
    fn note(&mut self, path: &PathBuf) {
        path.hash(&mut self.signature);
        let state = fs::metadata(path).ok();
        let state = state.map(|file| (file.len(), file.mtime(), file.mtime_nsec(), file.ino()));
        state.hash(&mut self.signature);
    }
}

#[cfg(test)]
mod tests;
