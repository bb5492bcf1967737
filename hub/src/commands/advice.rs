//! What to do about parts that are missing or damaged: the command that gets them.

use std::path::{Path, PathBuf};

use framepack_bundle::{Bundle, Component, Finding};
use framepack_ipc::{ErrorBody, text::shell_quoted};
use framepack_jobs::Code;

use crate::{catalog::Selection, environment::Environment, target::Target};

/// What no fetch puts right: what may not be read, and a file that the Hub does not have.
const NOT_FETCHED: [Code; 2] = [Code::WEIGHTS_UNREADABLE, Code::MODEL_DEFAULTS];

/// The command that fetches these models to this place.
pub(super) fn fetch(models: Selection, target: &Target, environment: &Environment) -> String {
    let command = format!("framepackctl models fetch {}", models.as_str());
    let is_default = Target::of(None, environment).is_ok_and(|default| default == *target);
    if is_default {
        return command;
    }
    format!("{command} --to {}", shell_quoted(target.root()))
}

/// What is wrong, as errors that name the command.
pub(super) fn errors(findings: &[Finding], target: &Target, command: &str) -> Vec<ErrorBody> {
    let error = |finding: &Finding| {
        let error = ErrorBody::new(finding.code, &*finding.message);
        if NOT_FETCHED.contains(&finding.code) {
            return error;
        }
        if finding.code == Code::MODEL_LINK {
            return error.hint(format!(
                "mount the disk that the link leads to; if the file is gone, run `{command}`"
            ));
        }
        error.hint(
            match finding.component.and_then(|it| elsewhere(it, target)) {
                Some(folder) => format!(
                    "move {} away, which counts before what is fetched; then run `{command}`",
                    shell_quoted(&folder)
                ),
                None => format!("run `{command}`: it gets what is missing or damaged"),
            },
        )
    };
    findings.iter().map(error).collect()
}

/// The folder of a part that is there, but not where a fetch puts it.
fn elsewhere(component: Component, target: &Target) -> Option<PathBuf> {
    let folder = Bundle::open(target.root())
        .ok()?
        .component(component)
        .ok()?;
    let repository = target.repository(component.published().0);
    (!Path::starts_with(&folder, repository)).then_some(folder)
}
