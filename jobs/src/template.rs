//! Names of videos: `{name}-{seed}` and what becomes of it in a file system.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::name;

/// Longest name in bytes, so that a suffix fits into the 255 bytes that file systems take.
const MAX_NAME_BYTES: usize = 208;

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
    ///
    /// Where it would be too long it is the job's name that is cut, and not what follows it.
    pub fn fill(&self, name: &str, seed: u64) -> String {
        let seed = seed.to_string();
        let names = self.0.matches("{name}").count().max(1);
        let others = self.0.replace("{name}", "").replace("{seed}", &seed).len();
        let room = MAX_NAME_BYTES.saturating_sub(others) / names;
        let name = name::cut(name, room);
        // Piece by piece, as a name may have braces.
        let pieces = self.0.split("{name}");
        let pieces: Vec<String> = pieces.map(|piece| piece.replace("{seed}", &seed)).collect();
        sanitise(&pieces.join(name))
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
    let clean = name::clean(name);
    // A leading dot hides the file, a leading dash looks like an option; Windows shares drop trailing dots.
    let trimmed = name::trimmed(name::cut(&clean, MAX_NAME_BYTES));
    match trimmed.trim_start_matches('-') {
        "" => "video".to_owned(),
        name => name::spared(name),
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
        assert_eq!(long, "ä".repeat(104));
        assert_eq!(sanitise("aux"), "_aux");
    }

    #[test]
    fn the_longest_name_leaves_its_seed_whole_and_braces_in_it_alone() {
        let template = NameTemplate::default();
        let name = "猫".repeat(60);
        assert_eq!(
            template.fill(&name, u64::MAX),
            format!("{name}-{}", u64::MAX)
        );
        let long: NameTemplate = "{name} of the evening-{seed}".parse().unwrap();
        let filled = long.fill(&name, u64::MAX);
        assert_eq!(
            filled,
            format!("{} of the evening-{}", "猫".repeat(57), u64::MAX)
        );
        assert_eq!(template.fill("{seed} {name}", 7), "{seed} {name}-7");
    }
}
