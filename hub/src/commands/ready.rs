//! A bundle that is ready to render: looked at as the daemon will, and the lines of the configuration that use it.

use std::path::Path;

use framepack_bundle::{Finding, look};
use framepack_jobs::Model;

/// What keeps jobs of these models from being rendered.
pub(super) fn lacking(root: &Path, models: &[Model]) -> Vec<Finding> {
    let findings = look(root, None).findings.into_iter();
    let concerns = |model: &Option<Model>| model.is_none_or(|model| models.contains(&model));
    findings
        .filter(|finding| concerns(&finding.model))
        .collect()
}

/// What the daemon's configuration has to say.
pub(super) fn configuration(root: &Path) -> String {
    format!("models:\n  bundle: {}", scalar(&root.display().to_string()))
}

/// A text as YAML has it, in quotes where it needs them.
fn scalar(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-".contains(c);
    if text.chars().all(is_plain) {
        return text.to_owned();
    }
    // JSON's strings are YAML's.
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_is_quoted_where_it_must_be() {
        let bundle = |path: &str| configuration(Path::new(path));
        assert_eq!(bundle("/models/hub"), "models:\n  bundle: /models/hub");
        assert_eq!(
            bundle("/my models: x"),
            "models:\n  bundle: \"/my models: x\""
        );
    }
}
