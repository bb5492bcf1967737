//! What to do about models that are missing or damaged: mostly, the command that fetches them.

use framepack_config::Models;
use framepack_ipc::text::shell_quoted;
use framepack_jobs::{AnyCode, Code, Failure, Model};

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

/// What to do about a fault of the bundle that jobs of this model meet, or those of all; with the command where there is
/// one.
pub(crate) fn remedy(models: &Models, code: Code, model: Option<Model>) -> String {
    if !FETCHED.contains(&code) {
        return code.hint().to_owned();
    }
    let mut command = String::from("framepackctl models fetch");
    match model {
        Some(Model::F1) => command += " f1",
        Some(Model::Original) => command += " original",
        None => {}
    }
    if !models.is_hub_cache {
        command.extend([" --to ", &shell_quoted(&models.bundle)]);
    }
    let mount = match code {
        Code::MODEL_LINK => "mount the disk that the link leads to, or ",
        _ => "",
    };
    format!(
        "{mount}run `{command}`, or point models.bundle at a folder with the models, readable by the daemon's user"
    )
}

/// A failure of a job of this model, with what to do about it.
pub(crate) fn with_remedy(models: &Models, failure: Failure, model: Model) -> Failure {
    match failure.code {
        AnyCode::Known(code) if FETCHED.contains(&code) => Failure {
            hint: Some(remedy(models, code, Some(model))),
            ..failure
        },
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn models(bundle: &str) -> Models {
        Models {
            bundle: bundle.into(),
            is_hub_cache: false,
            f1_bundle: None,
        }
    }

    #[test]
    fn disk_that_a_link_leads_to_may_be_mounted() {
        let told = remedy(&models("/models"), Code::MODEL_LINK, None);
        let says = "mount the disk that the link leads to, or run `framepackctl models fetch --to /models`";
        assert!(told.starts_with(says), "{told}");
    }

    #[test]
    fn what_can_be_fetched_is_told_with_the_command() {
        let told = |models: &Models, model| {
            let remedy = remedy(models, Code::MODEL_INCOMPLETE, model);
            remedy.split('`').nth(1).unwrap().to_owned()
        };
        let mut plain = models("/models");
        assert_eq!(told(&plain, None), "framepackctl models fetch --to /models");
        assert_eq!(
            told(&models("/my models/it's"), Some(Model::F1)),
            r#"framepackctl models fetch f1 --to "/my models/it's""#
        );
        plain.is_hub_cache = true;
        assert_eq!(told(&plain, None), "framepackctl models fetch");
    }
}
