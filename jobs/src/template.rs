//! Names of videos: `{name}-{seed}` and what becomes of it in a file system.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Longest name in bytes, so that a suffix fits into the 255 bytes that file systems take.
const MAX_NAME_BYTES: usize = 200;

/// A name with `{name}` and `{seed}` open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct NameTemplate(String);

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTemplate {
    /// Nothing to name a file with.
    #[error("the name is empty")]
    Empty,
    /// A brace that opens or closes nothing.
    #[error("`{0}` has an unmatched brace")]
    UnbalancedBrace(String),
    /// A placeholder that there is not.
    #[error("unknown placeholder `{{{0}}}`; expected {{name}} or {{seed}}")]
    UnknownPlaceholder(String),
    /// A folder in the name.
    #[error("`{0}` has a `/`; folders belong in output.dir")]
    Folder(String),
}

impl NameTemplate {
    /// The file's name without suffix: placeholders filled in, what file systems refuse replaced by `_`.
    pub fn fill(&self, name: &str, seed: u64) -> String {
        let filled = self.0.replace("{name}", name);
        sanitise(&filled.replace("{seed}", &seed.to_string()))
    }
}

impl Default for NameTemplate {
    fn default() -> Self {
        Self("{name}-{seed}".to_owned())
    }
}

impl FromStr for NameTemplate {
    type Err = InvalidTemplate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().is_empty() {
            return Err(InvalidTemplate::Empty);
        }
        if text.contains('/') {
            return Err(InvalidTemplate::Folder(text.to_owned()));
        }
        let unbalanced = || InvalidTemplate::UnbalancedBrace(text.to_owned());
        let mut rest = text;
        while let Some(brace) = rest.find(['{', '}']) {
            let inside = rest[brace..].strip_prefix('{').ok_or_else(unbalanced)?;
            let (placeholder, after) = inside.split_once('}').ok_or_else(unbalanced)?;
            if !matches!(placeholder, "name" | "seed") {
                return Err(InvalidTemplate::UnknownPlaceholder(placeholder.to_owned()));
            }
            rest = after;
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for NameTemplate {
    type Error = InvalidTemplate;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<NameTemplate> for String {
    fn from(template: NameTemplate) -> Self {
        template.0
    }
}

impl fmt::Display for NameTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name that every file system takes and no shell or glob trips over at its start.
fn sanitise(name: &str) -> String {
    let mut clean: String = name
        .chars()
        .map(|c| match c {
            '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '_',
            c if c.is_control() => '_',
            c => c,
        })
        .collect();
    let mut end = clean.len().min(MAX_NAME_BYTES);
    while !clean.is_char_boundary(end) {
        end -= 1;
    }
    clean.truncate(end);
    // A leading dot hides the file, a leading dash looks like an option; Windows shares drop trailing dots.
    let trimmed = clean.trim_matches(|c: char| c == '.' || c.is_whitespace());
    let trimmed = trimmed.trim_start_matches('-');
    if trimmed.is_empty() {
        "video".to_owned()
    } else {
        trimmed.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_in() {
        let template: NameTemplate = "{name}_s{seed}".parse().unwrap();
        assert_eq!(template.fill("cat", 7), "cat_s7");
        assert_eq!(NameTemplate::default().fill("cat", 31337), "cat-31337");
    }

    #[test]
    fn what_is_no_template_says_why() {
        for (text, expected) in [
            ("", "the name is empty"),
            ("a/b", "`a/b` has a `/`; folders belong in output.dir"),
            ("{name", "`{name` has an unmatched brace"),
            ("name}", "`name}` has an unmatched brace"),
            (
                "{nmae}",
                "unknown placeholder `{nmae}`; expected {name} or {seed}",
            ),
            (
                "{{name}}",
                "unknown placeholder `{{name}`; expected {name} or {seed}",
            ),
        ] {
            let err = text.parse::<NameTemplate>().unwrap_err();
            assert_eq!(err.to_string(), expected);
        }
    }

    #[test]
    fn file_names_are_safe() {
        for (name, expected) in [
            ("a:b*c?", "a_b_c_"),
            ("..hidden. ", "hidden"),
            ("--rf", "rf"),
            ("a\nb", "a_b"),
            ("...", "video"),
            ("Ölbild 3", "Ölbild 3"),
        ] {
            assert_eq!(sanitise(name), expected);
        }
        let long = sanitise(&"ä".repeat(150));
        assert_eq!(long, "ä".repeat(100));
    }
}
