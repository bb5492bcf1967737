//! The models, as far as a look at names, lengths and headers of their files tells.

use framepack_bundle::{Finding, Look};
use framepack_config::Models;
use framepack_ipc::check::Check;
use framepack_jobs::{AnyCode, Code};

use crate::remedy::remedy;

/// How many findings are told; the rest is counted.
const MAX_TOLD: usize = 4;
/// What jobs would meet in the bundle.
pub(super) fn bundle(key: &str, models: &Models, look: &Look) -> Check {
    let faults: Vec<&Finding> = look.faults().collect();
    let Some(first) = faults.first() else {
        return Check::ok(key, sound(models, look));
    };
    let mut told: Vec<String> = faults
        .iter()
        .take(MAX_TOLD)
        .copied()
        .map(in_words)
        .collect();
    if let more @ 1.. = faults.len().saturating_sub(MAX_TOLD) {
        told.push(format!("and {more} more"));
    }
    Check::failed(
        key,
        told.join("; "),
        remedy(models, first.code, first.model),
    )
}

/// The folder, and what it has not.
fn sound(models: &Models, look: &Look) -> String {
    let folder = models.bundle.display();
    let Some(absent) = look.absent_model() else {
        return folder.to_string();
    };
    let (model, remedy) = (
        absent.as_str(),
        remedy(models, Code::MODEL_INCOMPLETE, Some(absent)),
    );
    format!("{folder}, without {model}, whose jobs would wait; to get it, {remedy}")
}

fn in_words(finding: &Finding) -> String {
    AnyCode::from(finding.code).behind(&finding.message)
}

#[cfg(test)]
mod tests {
    use framepack_bundle::Component;
    use framepack_ipc::check::CheckState;
    use framepack_jobs::Model;

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
            component: None,
        };
        let look = Look {
            findings: (0..findings).map(finding).collect(),
            signature: 0,
            transformer_bytes: 0,
        };
        bundle("models.bundle", &models("/models"), &look)
    }

    #[test]
    fn one_of_the_two_models_is_enough() {
        let check = |component| {
            let finding = Finding {
                code: Code::MODEL_INCOMPLETE,
                message: "no transformer_f1".into(),
                model: Some(Model::F1),
                component: Some(component),
            };
            let look = Look {
                findings: vec![finding],
                signature: 0,
                transformer_bytes: 0,
            };
            bundle("models.bundle", &models("/models"), &look)
        };
        let without = check(Component::TransformerF1);
        assert_eq!(without.state, CheckState::Ok);
        let command = "run `framepackctl models fetch f1 --to /models`";
        assert!(without.message.contains(command), "{without:?}");
        assert_eq!(check(Component::Vae).state, CheckState::Failed);
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
}
