//! A script's commands that start the Python application, each with its assignments and arguments.

use framepack_yaml::Problem;

use super::{
    assignment::{Assignment, assignment, set},
    lex::{Token, Word, lex},
    program::{before, is_command, is_program, only_names_it, stem},
    shell::{Shell, is_assignment},
};
use crate::original::table;

/// A command that starts the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    /// The lines that it is on, from 1.
    pub(crate) lines: (usize, usize),
    /// What it runs, as in `demo_gradio.py`; empty where a script only sets variables.
    pub(crate) program: String,
    /// Its environment, as far as the script sets it; each name once.
    pub(crate) assignments: Vec<Assignment>,
    /// What stands behind the program.
    pub(crate) arguments: Vec<Word>,
    /// Variables that the script sets before it without exporting them: they do not reach it.
    pub(crate) not_exported: Vec<Assignment>,
}

/// What a script does.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// Its start lines, in the order of the file.
    pub(crate) commands: Vec<Command>,
    pub(crate) notes: Vec<String>,
    pub(crate) problem: Option<Problem>,
}

/// The commands of a script that start the application. A script that only sets variables is one command.
pub(crate) fn commands(text: &str) -> Script {
    let lexed = lex(text, Shell::of(text));
    let mut reading = Reading::default();
    let mut words = Vec::new();
    for token in lexed.tokens {
        match token {
            Token::Word(word) => words.push(word),
            Token::End => reading.command(std::mem::take(&mut words)),
        }
    }
    let mut script = Script {
        commands: reading.commands,
        notes: lexed.notes,
        problem: lexed.problem,
    };
    if reading.is_conditional {
        let note = "conditions and loops are not carried out: each command in them counts";
        script.notes.push(note.to_owned());
    }
    if script.commands.is_empty() {
        let mut assignments = reading.exported;
        for assignment in reading.shell {
            set(&mut assignments, assignment);
        }
        script.commands.extend(variables_alone(assignments));
    }
    script
}

fn variables_alone(assignments: Vec<Assignment>) -> Option<Command> {
    let lines = (assignments.first()?.at.line, assignments.last()?.at.line);
    Some(Command {
        lines,
        program: String::new(),
        assignments,
        arguments: Vec::new(),
        not_exported: Vec::new(),
    })
}

/// Words before a command that a shell takes for itself.
const KEYWORDS: [&str; 12] = [
    "if", "then", "elif", "else", "while", "until", "do", "!", "{", "}", "fi", "done",
];

/// The environment and the commands so far.
#[derive(Default)]
struct Reading {
    exported: Vec<Assignment>,
    /// Set, and not exported.
    shell: Vec<Assignment>,
    exports_all: bool,
    is_conditional: bool,
    commands: Vec<Command>,
}

impl Reading {
    fn command(&mut self, words: Vec<Word>) {
        let keywords = words
            .iter()
            .take_while(|word| KEYWORDS.contains(&word.text.as_str()));
        let keywords = keywords.count();
        self.is_conditional |= keywords > 0;
        let mut words = words.into_iter().skip(keywords).peekable();
        let mut own = Vec::new();
        while let Some(word) = words.next_if(|word| is_assignment(&word.text)) {
            own.push(assignment(word));
        }
        let words: Vec<Word> = words.collect();
        let Some(first) = words.first() else {
            return own.into_iter().for_each(|one| self.assign(one));
        };
        let arguments = &words[1..];
        match first.text.as_str() {
            "export" | "declare" | "typeset" => self.export(arguments),
            "unset" => {
                for word in arguments {
                    self.exported.retain(|one| one.name != word.text);
                    self.shell.retain(|one| one.name != word.text);
                }
            }
            "set" => self.set(arguments),
            "setenv" => self.export_pair(arguments),
            _ => {
                if let Some(command) = self.start_line(own, &words) {
                    self.commands.push(command);
                }
            }
        }
    }

    /// `NAME=value` without a command: known to the shell, and to commands if it is exported.
    fn assign(&mut self, assignment: Assignment) {
        let is_exported = self.exported.iter().any(|one| one.name == assignment.name);
        if is_exported || self.exports_all {
            set(&mut self.exported, assignment);
        } else {
            set(&mut self.shell, assignment);
        }
    }

    fn export(&mut self, words: &[Word]) {
        for word in words {
            if is_assignment(&word.text) {
                let assignment = assignment(word.clone());
                self.shell.retain(|one| one.name != assignment.name);
                set(&mut self.exported, assignment);
            } else if let Some(at) = self.shell.iter().position(|one| one.name == word.text) {
                let assignment = self.shell.remove(at);
                set(&mut self.exported, assignment);
            }
        }
    }

    /// `set -a` exports everything from here on; `set -x NAME value` is fish's export.
    fn set(&mut self, words: &[Word]) {
        let Some(option) = words.first().map(|word| word.text.as_str()) else {
            return;
        };
        let names_it = || words.get(1).is_some_and(|word| word.text == "allexport");
        match option {
            "-a" => self.exports_all = true,
            "+a" => self.exports_all = false,
            "-o" if names_it() => self.exports_all = true,
            "+o" if names_it() => self.exports_all = false,
            option if option.starts_with('-') && option.contains('x') => {
                self.export_pair(&words[1..]);
            }
            _ => {}
        }
    }

    /// `NAME value`.
    fn export_pair(&mut self, words: &[Word]) {
        if let [name, value] = words {
            let pair = Assignment {
                name: name.text.clone(),
                value: value.text.clone(),
                at: name.at,
                expansion: value.expansion.clone(),
                overruled: Vec::new(),
            };
            set(&mut self.exported, pair);
        }
    }

    /// The command that a word is, as that of `bash -c '…'`. Its places are that of the word.
    fn inside(&self, word: &Word, own: Vec<Assignment>) -> Option<Command> {
        let command = commands(&word.text).commands.into_iter().next()?;
        let mut assignments = self.exported.clone();
        for one in own {
            set(&mut assignments, one);
        }
        for one in command.assignments {
            set(&mut assignments, Assignment { at: word.at, ..one });
        }
        let arguments = command.arguments.into_iter();
        Some(Command {
            lines: (word.at.line, word.at.line),
            program: command.program,
            assignments,
            arguments: arguments.map(|one| Word { at: word.at, ..one }).collect(),
            not_exported: Vec::new(),
        })
    }

    /// The command, if it starts the application.
    fn start_line(&self, own: Vec<Assignment>, words: &[Word]) -> Option<Command> {
        if only_names_it(&words.first()?.text) {
            return None;
        }
        if let Some(word) = words.iter().find(|word| is_command(word)) {
            return self.inside(word, own);
        }
        let program = words.iter().position(|word| is_program(&word.text));
        let before = before(&words[..program.unwrap_or(words.len())]);
        let is_known = |one: &Assignment| table::variable(&one.name).is_some();
        let arguments = words.get(program.unwrap_or(0) + 1..).unwrap_or_default();
        let is_flag = |word: &Word| {
            let name = word.text.split('=').next().unwrap_or_default();
            table::flag(name).is_some()
        };
        let is_application =
            program.is_some_and(|at| stem(&words[at].text).starts_with("demo_gradio"));
        let has_names =
            own.iter().chain(&before.set).any(is_known) || arguments.iter().any(is_flag);
        if !is_application && !has_names {
            return None;
        }
        let first = own
            .first()
            .map_or(words.first()?.at.line, |one| one.at.line);
        let mut assignments = if before.clears {
            Vec::new()
        } else {
            self.exported.clone()
        };
        assignments.retain(|one| !before.unset.contains(&one.name));
        let here = own.into_iter().chain(before.set);
        here.for_each(|one| set(&mut assignments, one));
        let is_hidden = |one: &&Assignment| assignments.iter().all(|set| set.name != one.name);
        Some(Command {
            lines: (first, words.last()?.at.line),
            program: words[program.unwrap_or(0)].text.clone(),
            not_exported: self.shell.iter().filter(is_hidden).cloned().collect(),
            assignments,
            arguments: arguments.to_vec(),
        })
    }
}
