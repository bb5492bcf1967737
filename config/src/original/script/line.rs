//! Lines that are not made of words.

use super::shell::{Shell, is_name};

/// Such a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Whole {
    /// `rem …` and `:: …`.
    Remark,
    /// `set NAME=value` and `$env:NAME = "value"`: everything up to the end of the line, or to the next command.
    Set {
        name: String,
        value: String,
        expansion: Option<String>,
    },
}

/// What a line is from here on, if it is no command with words, and how many characters of it that is.
pub(super) fn whole(line: &str, shell: Shell) -> Option<(Whole, usize)> {
    let blanks = line.len() - line.trim_start().len();
    match shell {
        Shell::Posix => None,
        Shell::Windows => {
            let bare = line.trim_start().trim_start_matches('@');
            let lower = bare.to_lowercase();
            if lower == "rem" || lower.starts_with("rem ") || lower.starts_with("::") {
                return Some((Whole::Remark, line.chars().count()));
            }
            let rest = bare.get(4..).filter(|_| lower.starts_with("set "))?;
            let rest = rest.trim_start();
            let end = end_of_set(rest);
            let consumed = line.len() - rest.len() + end;
            Some((windows(&rest[..end])?, line[..consumed].chars().count()))
        }
        Shell::Power => {
            let bare = line.trim_start();
            let rest = bare
                .get(5..)
                .filter(|_| bare.to_lowercase().starts_with("$env:"))?;
            let end = rest.find(';').unwrap_or(rest.len());
            let (name, value) = rest[..end].split_once('=')?;
            let value = value.trim();
            let bare = value.trim_matches(['"', '\'']);
            let set = set(name.trim(), bare, value.find('$').map(|at| &value[at..]))?;
            Some((set, line[..blanks + 5 + end].chars().count()))
        }
    }
}

/// Where an assignment ends: behind its quotes, or before the next command.
fn end_of_set(text: &str) -> usize {
    match text.strip_prefix('"').map(|quoted| quoted.find('"')) {
        Some(Some(end)) => end + 2,
        Some(None) => text.len(),
        None => text.find('&').unwrap_or(text.len()),
    }
}

/// `NAME=value`, and `"NAME=value"`, of which the quotes are no part.
fn windows(text: &str) -> Option<Whole> {
    let (name, value) = text.trim_matches('"').split_once('=')?;
    let expansion = value.find('%').filter(|at| value[at + 1..].contains('%'));
    set(name, value.trim(), expansion.map(|at| &value[at..]))
}

/// Names of variables are the same in small and in capital letters there.
fn set(name: &str, value: &str, expansion: Option<&str>) -> Option<Whole> {
    is_name(name).then(|| Whole::Set {
        name: name.to_uppercase(),
        value: value.to_owned(),
        expansion: expansion.map(str::to_owned),
    })
}
