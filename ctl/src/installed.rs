//! The models that are there: those that come with framepackd, and those in the Hub's cache.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use framepack_ipc::{Envelope, ErrorBody};
use framepack_jobs::{Code, suggest};
use serde::Deserialize;

use crate::{
    cli::{Bundle, WORDS},
    program::{self, own_folder},
};

/// From the folder of framepackctl: in an installation, and in a checkout (`target/release`).
const PLACES: [&str; 2] = ["../share/framepackd/models/demo", "../../models/demo"];
/// A file that a model bundle has.
const LANDMARK: &str = "transformer/config.json";
/// Parts of which one is enough: each is a model of its own.
const TRANSFORMERS: [&str; 2] = ["transformer", "transformer_f1"];

/// A part of the models, as `framepack-models ls` has it.
#[derive(Debug, Deserialize)]
struct Part {
    component: String,
    state: String,
}

impl Bundle {
    /// Its folder, absolute; `None`: the Hub's cache.
    pub(crate) fn folder(&self) -> Result<Option<PathBuf>, ErrorBody> {
        match self {
            Self::Cache => Ok(None),
            Self::Demo => demo().map(Some).ok_or_else(not_installed),
            Self::Folder(folder) => named(folder).map(Some),
        }
    }
}

fn not_installed() -> ErrorBody {
    let places = PLACES.join(" and ");
    let message = format!(
        "the demo models are not installed: looked for {places} from framepackctl's folder"
    );
    ErrorBody::new(Code::MODEL_INCOMPLETE, message).hint(
        "name a folder with `--models DIR`, or fetch the real ones with `framepackctl models fetch`",
    )
}

/// A folder, which need not be there yet; a word that is nearly one of ours is not taken for one.
fn named(folder: &Path) -> Result<PathBuf, ErrorBody> {
    let meant = folder.to_str().and_then(|text| suggest(text, WORDS));
    let path = folder.display();
    if folder.as_os_str().is_empty() {
        let message = "--models: an empty name is no folder";
        return Err(ErrorBody::new(Code::USAGE, message).hint("`demo`, `cache`, or a folder"));
    }
    if let (Some(meant), false) = (meant, folder.is_dir()) {
        let message = format!("--models: there is no folder {path}");
        return Err(ErrorBody::new(Code::USAGE, message).hint(format!("did you mean `{meant}`?")));
    }
    std::path::absolute(folder)
        .map_err(|error| ErrorBody::new(Code::MODEL_INCOMPLETE, format!("{path}: {error}")))
}

/// The demo's folder, if it is there.
pub(crate) fn demo() -> Option<PathBuf> {
    let folder = own_folder().ok()?;
    PLACES
        .iter()
        .map(|place| folder.join(place))
        .filter(|place| place.join(Path::new(LANDMARK)).is_file())
        .find_map(|place| place.canonicalize().ok())
}

/// Whether the Hub's cache has all parts of a model, as far as framepack-models can tell.
pub(crate) fn is_in_cache() -> bool {
    let ls = program::find("framepack-models").ok().and_then(|program| {
        let mut command = Command::new(program);
        command.args(["--json", "ls"]).stderr(Stdio::null());
        command.output().ok()
    });
    let parts = ls.and_then(|output| serde_json::from_slice(&output.stdout).ok());
    parts.is_some_and(|parts: Envelope<Part>| has_a_model(&parts.items))
}

fn has_a_model(parts: &[Part]) -> bool {
    let is_complete = |part: &&Part| part.state == "complete";
    let (models, shared): (Vec<_>, Vec<_>) = parts
        .iter()
        .partition(|part| TRANSFORMERS.contains(&&*part.component));
    models.iter().any(is_complete) && !shared.is_empty() && shared.iter().all(is_complete)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_transformer_and_all_else_make_a_model() {
        let has = |states: &[(&str, &str)]| {
            let parts = states.iter().map(|(component, state)| Part {
                component: (*component).to_owned(),
                state: (*state).to_owned(),
            });
            has_a_model(&parts.collect::<Vec<_>>())
        };
        let f1 = [("transformer", "missing"), ("transformer_f1", "complete")];
        assert!(has(&[f1[0], f1[1], ("vae", "complete")]));
        assert!(!has(&[f1[0], f1[1], ("vae", "incomplete")]));
        assert!(!has(&[f1[0], ("vae", "complete")]));
        assert!(!has(&[]));
    }
}
