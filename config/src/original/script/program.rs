//! The program that a command runs, and what stands before it.

use super::{
    assignment::{Assignment, assignment},
    lex::Word,
    shell::is_assignment,
};

/// Commands that name the application without starting it.
const OTHERS: [&str; 22] = [
    "echo", "printf", "cat", "ls", "cp", "mv", "rm", "chmod", "grep", "sed", "git", "diff", "vi",
    "vim", "nano", "head", "tail", "less", "kill", "pkill", "pgrep", "ps",
];

/// What the words before a program set, as those of `env` and `docker run -e` do.
#[derive(Debug, Default)]
pub(super) struct Before {
    pub(super) clears: bool,
    pub(super) unset: Vec<String>,
    pub(super) set: Vec<Assignment>,
}

pub(super) fn before(words: &[Word]) -> Before {
    let mut before = Before::default();
    let is_env = words.iter().any(|word| stem(&word.text) == "env");
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.text.as_str() {
            "-i" | "-" | "--ignore-environment" if is_env => before.clears = true,
            "-u" | "--unset" if is_env => {
                before
                    .unset
                    .extend(words.next().map(|word| word.text.clone()));
            }
            text if is_assignment(text) => before.set.push(assignment(word.clone())),
            text => {
                let unset = text.strip_prefix("--unset=");
                before.unset.extend(unset.map(str::to_owned));
                let set = text.strip_prefix("--env=").filter(|set| is_assignment(set));
                before.set.extend(set.map(|set| {
                    assignment(Word {
                        text: set.to_owned(),
                        ..word.clone()
                    })
                }));
            }
        }
    }
    before
}

/// Whether a word is a Python program.
pub(super) fn is_program(word: &str) -> bool {
    let name = word.to_lowercase();
    let suffix = name.rsplit_once('.').map(|(_, suffix)| suffix);
    suffix == Some("py") || stem(&name).starts_with("demo_gradio")
}

/// Whether a word is a whole command that starts the application.
pub(super) fn is_command(word: &Word) -> bool {
    /// A command in a command in a command is short.
    const MOST_BYTES: usize = 1000;
    // What ends a word for the lexer: so the words of this one are shorter than itself.
    word.text.contains([' ', '\t', '\n', '\u{a0}'])
        && word.text.contains("demo_gradio")
        && word.text.len() <= MOST_BYTES
}

/// Whether a command names the application without starting it.
pub(super) fn only_names_it(command: &str) -> bool {
    OTHERS.contains(&stem(command))
}

/// A path's last part without its suffix.
pub(crate) fn stem(path: &str) -> &str {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.split('.').next().unwrap_or(name)
}
