//! The models, as far as a look at names, lengths and headers of their files tells.

use framepack_bundle::{Finding, Look};
use framepack_config::Models;
use framepack_ipc::check::Check;
use framepack_jobs::{Code, Model};

/// How many findings are told; the rest is counted.
const MAX_TOLD: usize = 4;
/// What is put right by fetching the models.
const FETCHED: [Code; 8] = [
    Code::WEIGHTS_MISSING,
    Code::WEIGHTS_MALFORMED,
    Code::WEIGHTS_TRUNCATED,
    Code::WEIGHTS_INDEX,
    Code::MODEL_INCOMPLETE,
    Code::MODEL_UNFINISHED,
    Code::MODEL_LINK,
    Code::TOKENIZER,
];

/// What jobs would meet in the bundle.
pub(super) fn bundle(key: &str, models: &Models, look: &Look) -> Check {
    let Some(first) = look.findings.first() else {
        return Check::ok(key, models.bundle.display());
    };
    let told = look.findings.iter().take(MAX_TOLD);
    let mut told: Vec<String> = told.map(in_words).collect();
    if let more @ 1.. = look.findings.len().saturating_sub(MAX_TOLD) {
        told.push(format!("and {more} more"));
    }
    Check::failed(key, told.join("; "), remedy(models, first))
}

/// What to do about a finding, with the command where there is one.
pub(crate) fn remedy(models: &Models, finding: &Finding) -> String {
    if !FETCHED.contains(&finding.code) {
        return finding.code.hint().to_owned();
    }
    let mut command = String::from("framepackctl models fetch");
    match finding.model {
        Some(Model::F1) => command += " f1",
        Some(Model::Original) => command += " original",
        None => {}
    }
    if !models.is_hub_cache {
        command.extend([" --to ", &quoted(&models.bundle.display().to_string())]);
    }
    format!(
        "run `{command}`, or point models.bundle at a folder with the models, readable by the daemon's user"
    )
}

/// As a shell takes it.
fn quoted(path: &str) -> String {
    let is_plain = |char: char| char.is_alphanumeric() || "/._-+:@".contains(char);
    if path.chars().all(is_plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

fn in_words(finding: &Finding) -> String {
    format!("{} [{}]", finding.message, finding.code)
}

#[cfg(test)]
mod tests {
    use framepack_ipc::check::CheckState;

    use super::*;

    fn models(bundle: &str) -> Models {
        Models {
            bundle: bundle.into(),
            is_hub_cache: false,
            f1_bundle: None,
        }
    }

    fn check(findings: usize) -> Check {
        let finding = |number| Finding {
            code: Code::MODEL_POINTER,
            message: format!("finding {number}"),
            model: None,
        };
        let look = Look {
            findings: (0..findings).map(finding).collect(),
            signature: 0,
            transformer_bytes: 0,
        };
        bundle("models.bundle", &models("/models"), &look)
    }

    #[test]
    fn a_sound_bundle_is_named_and_the_first_faults_of_another() {
        assert_eq!(check(0).state, CheckState::Ok);
        let one = check(1);
        assert_eq!(one.state, CheckState::Failed);
        assert_eq!(one.message, "finding 0 [FP3014]");
        assert_eq!(one.fix, Code::MODEL_POINTER.hint());
        let many = check(9).message;
        assert!(many.ends_with("finding 3 [FP3014]; and 5 more"), "{many}");
    }

    #[test]
    fn what_can_be_fetched_is_told_with_the_command() {
        let told = |models: &Models, model| {
            let finding = Finding {
                code: Code::MODEL_INCOMPLETE,
                message: String::new(),
                model,
            };
            let remedy = remedy(models, &finding);
            remedy.split('`').nth(1).unwrap().to_owned()
        };
        let mut plain = models("/models");
        assert_eq!(told(&plain, None), "framepackctl models fetch --to /models");
        assert_eq!(
            told(&models("/my models/it's"), Some(Model::F1)),
            r"framepackctl models fetch f1 --to '/my models/it'\''s'"
        );
        plain.is_hub_cache = true;
        assert_eq!(told(&plain, None), "framepackctl models fetch");
    }
}
