//! Which shell a script is for.

/// A shell, as far as its words differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shell {
    /// `sh`, `bash` and the like.
    Posix,
    /// `cmd.exe`: backslashes and single quotes are letters like others, `^` continues a line.
    Windows,
    /// `PowerShell`: backslashes are letters, a backtick continues a line.
    Power,
}

impl Shell {
    /// The shell that a script looks like.
    pub(super) fn of(text: &str) -> Self {
        let mut lines = text.lines().map(|line| line.trim_start().to_lowercase());
        if text.starts_with("#!") {
            return Self::Posix;
        }
        let shell = lines.find_map(|line| {
            let line = line.trim_start_matches('@');
            let set = line.strip_prefix("set ").map(str::trim_start);
            let is_set = set.is_some_and(|rest| is_assignment(rest.trim_start_matches('"')));
            if line.starts_with("$env:") {
                Some(Self::Power)
            } else if is_set
                || line.starts_with("rem ")
                || line.starts_with("::")
                || line.starts_with("echo off")
                || has_drive(line)
            {
                Some(Self::Windows)
            } else {
                None
            }
        });
        shell.unwrap_or(Self::Posix)
    }

    /// What continues a line, as its last character.
    pub(super) fn continuation(self) -> char {
        match self {
            Self::Posix => '\\',
            Self::Windows => '^',
            Self::Power => '`',
        }
    }
}

/// Whether a word begins with a drive of Windows: `C:\`.
fn has_drive(line: &str) -> bool {
    line.split([' ', '\t', '"']).any(|word| {
        let mut chars = word.chars();
        chars.next().is_some_and(|c| c.is_ascii_alphabetic()) && chars.as_str().starts_with(":\\")
    })
}

/// Whether a word is an assignment: `NAME=` and anything.
pub(super) fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| is_name(name))
}

/// Whether a text may be the name of a variable.
pub(super) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}
