//! A look at all of a bundle: is every part there, and is each file what its name says.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use framepack_jobs::Code;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    error::BundleError,
    header::Header,
    layout::{Bundle, Component},
    stand_in,
};

/// What a look at a bundle tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// What is wrong, in the order of the components.
    pub findings: Vec<Finding>,
    /// Changes when a file comes, goes or is written.
    pub signature: u64,
    /// Bytes of the transformer's weight files.
    pub transformer_bytes: u64,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The code that a job would fail with.
    pub code: Code,
    /// What is wrong, where. Lower case, no trailing dot.
    pub message: String,
}

/// What is known of a bundle so far.
#[derive(Debug, Default)]
struct Survey {
    findings: Vec<Finding>,
    signature: DefaultHasher,
    transformer_bytes: u64,
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// Looks at the bundle in `root`, and at the one in `f1_root` that has F1's transformer, if that is another one. Reads
/// names, lengths, headers and configurations.
pub fn look(root: &Path, f1_root: Option<&Path>) -> Look {
    let mut survey = Survey::default();
    if let Some(bundle) = survey.open(root) {
        for component in Component::ALL {
            survey.component(&bundle, component);
        }
    }
    if let Some(bundle) = f1_root.and_then(|root| survey.open(root)) {
        let is_there = |component: &Component| bundle.component(*component).is_ok();
        let either = [Component::TransformerF1, Component::Transformer];
        let found = either.into_iter().find(is_there);
        survey.component(&bundle, found.unwrap_or(Component::Transformer));
    }
    Look {
        findings: survey.findings,
        signature: survey.signature.finish(),
        transformer_bytes: survey.transformer_bytes,
    }
}

impl Survey {
    fn open(&mut self, root: &Path) -> Option<Bundle> {
        let opened = Bundle::open(root).and_then(|bundle| bundle.defaults().map(|_| bundle));
        self.note(&root.join("framepack.json"));
        opened.map_err(|error| self.found(&error)).ok()
    }

    fn component(&mut self, bundle: &Bundle, component: Component) {
        let folder = match bundle.component(component) {
            Ok(folder) => folder,
            // The other transformer does its work.
            Err(BundleError::Incomplete { .. }) if component == Component::TransformerF1 => return,
            Err(error) => return self.found(&error),
        };
        for file in component.landmarks() {
            let file = folder.join(file);
            self.note(&file);
            if file.is_file() {
                self.json(&file, component);
            }
        }
        if let Some(base) = component.weights() {
            self.weights(&folder, base, component);
        }
    }

    /// A configuration, or a tokenizer's table.
    fn json(&mut self, path: &Path, component: Component) {
        let code = match component {
            Component::Tokenizer | Component::Tokenizer2 => Code::TOKENIZER,
            _ => Code::MODEL_CONFIG,
        };
        let read = fs::read(path).map_err(|error| error.to_string());
        let parsed = read.and_then(|text| {
            serde_json::from_slice::<Map<String, Value>>(&text).map_err(|error| error.to_string())
        });
        if let Err(reason) = parsed {
            self.fault(path, code, &format!("{}: {reason}", path.display()));
        }
    }

    fn weights(&mut self, folder: &Path, base: &str, component: Component) {
        let index = folder.join(format!("{base}.safetensors.index.json"));
        let single = folder.join(format!("{base}.safetensors"));
        self.note(&index);
        if index.exists() {
            self.shards(&index, component);
        } else if single.exists() {
            self.note(&single);
            self.file(&single, component);
        } else {
            self.note(&single);
            let stand_in = stand_in::of(&index).or_else(|| stand_in::of(&single));
            let path = stand_in.map_or(single, |stand_in| stand_in.path);
            let message = format!(
                "no weights in {}: neither {base}.safetensors.index.json nor {base}.safetensors exists",
                folder.display()
            );
            self.fault(&path, Code::WEIGHTS_MISSING, &message);
        }
    }

    fn shards(&mut self, index: &Path, component: Component) {
        let read = fs::read(index).map_err(|error| error.to_string());
        let parsed = read.and_then(|text| {
            serde_json::from_slice::<Index>(&text).map_err(|error| error.to_string())
        });
        let bad = |reason: &str| format!("bad index {}: {reason}", index.display());
        let map = match parsed {
            Ok(Index { weight_map }) => weight_map,
            Err(reason) => return self.fault(index, Code::WEIGHTS_INDEX, &bad(&reason)),
        };
        let names: BTreeSet<&String> = map.values().collect();
        for name in names {
            let shard = index.with_file_name(name);
            self.note(&shard);
            if !shard.exists() {
                let message = bad(&format!("shard {name} is missing"));
                self.fault(&shard, Code::WEIGHTS_INDEX, &message);
                continue;
            }
            let Some(header) = self.file(&shard, component) else {
                continue;
            };
            let mapped = map.iter().filter(|(_, file)| *file == name);
            let lacks = mapped
                .map(|(tensor, _)| tensor)
                .find(|tensor| !header.tensors.contains(*tensor));
            if let Some(tensor) = lacks {
                let message = bad(&format!(
                    "it places tensor {tensor} in {name}, which does not hold it"
                ));
                self.fault(index, Code::WEIGHTS_INDEX, &message);
            }
        }
    }

    /// One file of weights.
    fn file(&mut self, path: &Path, component: Component) -> Option<Header> {
        if component == Component::Transformer {
            self.transformer_bytes += fs::metadata(path).map_or(0, |metadata| metadata.len());
        }
        if let Some(stand_in) = stand_in::of(path) {
            self.found(&stand_in.into());
            return None;
        }
        match Header::read(path) {
            Ok(header) => Some(header),
            Err((code, reason)) => {
                self.fault(path, code, &format!("{} {reason}", path.display()));
                None
            }
        }
    }

    /// Notes a fault: by what lies in the file's place, if that is known.
    fn fault(&mut self, path: &Path, code: Code, message: &str) {
        match stand_in::of(path) {
            Some(stand_in) => self.found(&stand_in.into()),
            None => self.findings.push(Finding {
                code,
                message: message.to_owned(),
            }),
        }
    }

    fn found(&mut self, error: &BundleError) {
        let finding = Finding {
            code: error.code(),
            message: error.to_string(),
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
mod tests {
    use std::{fs::File, os::unix::fs::symlink, process::Command};

    use super::*;

    const TRANSFORMER: &str = "transformer/diffusion_pytorch_model";
    const SHARD_2: &str = "transformer/diffusion_pytorch_model-00002-of-00002.safetensors";

    fn copy() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/demo");
        for part in fs::read_dir(demo).unwrap() {
            let part = part.unwrap().path();
            if part.join("training").exists() || part.ends_with("training") {
                continue;
            }
            let copied = Command::new("cp")
                .arg("-r")
                .arg(part)
                .arg(folder.path())
                .status();
            assert!(copied.unwrap().success());
        }
        folder
    }

    fn findings(folder: &tempfile::TempDir) -> Vec<Finding> {
        look(folder.path(), None).findings
    }

    #[test]
    fn a_whole_bundle_has_no_findings_and_keeps_its_signature() {
        let folder = copy();
        let first = look(folder.path(), None);
        assert_eq!(first.findings, []);
        assert_eq!(first.transformer_bytes, 10_873_128 + 4_174_904);
        assert_eq!(look(folder.path(), None), first);
        File::open(folder.path().join("vae/config.json"))
            .unwrap()
            .set_modified(std::time::SystemTime::UNIX_EPOCH)
            .unwrap();
        let later = look(folder.path(), None);
        assert_ne!(later.signature, first.signature);
        assert_eq!(look(folder.path(), Some(folder.path())).findings, []);
    }

    /// What is spoilt, and what is found: the code, and parts of the message.
    type Case = (fn(&Path), Code, &'static [&'static str]);

    #[test]
    fn every_state_of_incompleteness_is_named() {
        let cases: [Case; 13] = [
            (
                |root| fs::remove_dir_all(root).unwrap(),
                Code::MODEL_INCOMPLETE,
                &["no such folder"],
            ),
            (
                |root| fs::remove_dir_all(root.join("vae")).unwrap(),
                Code::MODEL_INCOMPLETE,
                &["no vae"],
            ),
            (
                |root| fs::remove_file(root.join("image_encoder/model.safetensors")).unwrap(),
                Code::WEIGHTS_MISSING,
                &["image_encoder"],
            ),
            (
                |root| fs::remove_file(root.join(SHARD_2)).unwrap(),
                Code::WEIGHTS_INDEX,
                &["00002-of-00002", "missing"],
            ),
            (
                |root| {
                    fs::rename(root.join(SHARD_2), root.join(format!("{SHARD_2}.part"))).unwrap()
                },
                Code::MODEL_UNFINISHED,
                &["there is", ".part"],
            ),
            (
                |root| {
                    fs::write(
                        root.join(SHARD_2),
                        "version https://git-lfs.github.com/spec/v1\nsize 77\n",
                    )
                    .unwrap()
                },
                Code::MODEL_POINTER,
                &["git-lfs", "77 bytes"],
            ),
            (
                |root| {
                    File::options()
                        .write(true)
                        .open(root.join(SHARD_2))
                        .unwrap()
                        .set_len(4_174_900)
                        .unwrap()
                },
                Code::WEIGHTS_TRUNCATED,
                &["4174904", "4174900"],
            ),
            (
                |root| {
                    File::create(root.join(SHARD_2))
                        .unwrap()
                        .set_len(4_174_904)
                        .unwrap()
                },
                Code::MODEL_UNFINISHED,
                &["zeroes"],
            ),
            (
                |root| fs::write(root.join("vae/config.json"), "<html>").unwrap(),
                Code::MODEL_WEB_PAGE,
                &["vae/config.json"],
            ),
            (
                |root| fs::write(root.join("vae/config.json"), "{\"a\": ").unwrap(),
                Code::MODEL_CONFIG,
                &["vae/config.json", "EOF"],
            ),
            (
                |root| fs::write(root.join("tokenizer/tokenizer.json"), "").unwrap(),
                Code::MODEL_UNFINISHED,
                &["0 bytes"],
            ),
            (
                |root| {
                    let file = root.join("text_encoder/model.safetensors");
                    fs::remove_file(&file).unwrap();
                    symlink("../blobs/5f0a", file).unwrap();
                },
                Code::MODEL_LINK,
                &["../blobs/5f0a"],
            ),
            (
                |root| {
                    fs::write(
                        root.join(format!("{TRANSFORMER}.safetensors.index.json")),
                        "{}",
                    )
                    .unwrap()
                },
                Code::WEIGHTS_INDEX,
                &["weight_map"],
            ),
        ];
        for (spoil, code, says) in cases {
            let folder = copy();
            spoil(folder.path());
            let found = findings(&folder);
            let [finding] = found.as_slice() else {
                panic!("{code}: {found:#?}");
            };
            assert_eq!(finding.code, code, "{}", finding.message);
            for part in says {
                assert!(
                    finding.message.contains(part),
                    "{part:?}: {}",
                    finding.message
                );
            }
        }
    }

    #[test]
    fn an_index_that_places_a_tensor_elsewhere_is_a_finding() {
        let folder = copy();
        let index = folder
            .path()
            .join(format!("{TRANSFORMER}.safetensors.index.json"));
        let text = fs::read_to_string(&index).unwrap();
        fs::write(&index, text.replace("proj_out.weight", "proj_out.wait")).unwrap();
        let found = findings(&folder);
        assert_eq!(found[0].code, Code::WEIGHTS_INDEX, "{found:?}");
        assert!(found[0].message.contains("proj_out.wait"), "{found:?}");
    }
}
