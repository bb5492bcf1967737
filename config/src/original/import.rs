//! A script that starts the Python application, as a configuration.

use framepack_jobs::{Model, settings::MODEL};
use framepack_yaml::{Problem, ProblemKind, Problems};

use super::{
    arguments,
    given::Given,
    script::{Command, Script, commands, commented, stem, uncommented},
    table,
    translate::{translate, unknown},
    translated::{Meant, Translated},
};

/// The application's program for the F1 model; that of `demo_gradio` is the default.
const F1_PROGRAM: &str = "demo_gradio_f1";

/// Which of a script's start lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pick {
    /// The first one.
    #[default]
    First,
    /// The one on this line, from 1; also one that is commented out there.
    Line(usize),
}

/// What a start line means. As text it is a part of a configuration, with a comment for each name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// What it runs; empty where the script only sets variables.
    pub(super) program: String,
    /// The lines that it is on.
    pub(super) lines: (usize, usize),
    /// The lines of the script's other start lines.
    pub(super) others: Vec<usize>,
    /// The same of those that are commented out.
    pub(super) commented: Vec<usize>,
    /// Remarks on the script as a whole.
    pub(super) remarks: Vec<String>,
    /// What was set, as it was written: name, and value if it has one.
    pub(super) written: Vec<(String, String)>,
    /// What it means.
    pub(super) translated: Translated,
}

/// What a script's start line means, or everything that is wrong with it.
pub fn import(text: &str, pick: Pick) -> Result<Imported, Problems> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text = match pick {
        Pick::Line(line) => uncommented(&text, line).unwrap_or(text),
        Pick::First => text,
    };
    let (script, commented) = (commands(&text), commented(&text));
    if let Some(problem) = script.problem {
        return Err(problem.into());
    }
    let command = picked(&script, pick, &commented)?;
    let others = script.commands.iter().filter(|one| *one != command);
    let others = others.map(|one| one.lines.0).collect();
    let mut translated = Translated::default();
    translated.settings.extend(model(&command.program));
    let mut given = variables(command, &mut translated);
    given.extend(arguments::flags(&command.arguments, &mut translated));
    translate(&given, &mut translated);
    // In the order of the script, and each with its place.
    let problems = std::mem::take(&mut translated.problems);
    problems.located_in("").or(())?;
    Ok(Imported {
        program: command.program.clone(),
        lines: command.lines,
        others,
        commented,
        remarks: script.notes.clone(),
        written: given
            .into_iter()
            .map(|one| (one.written, one.text))
            .collect(),
        translated,
    })
}

fn picked<'s>(script: &'s Script, pick: Pick, commented: &[usize]) -> Result<&'s Command, Problem> {
    let found = match pick {
        Pick::First => script.commands.first(),
        Pick::Line(line) => script
            .commands
            .iter()
            .find(|command| (command.lines.0..=command.lines.1).contains(&line)),
    };
    found.ok_or_else(|| no_command(script, pick, commented))
}

fn no_command(script: &Script, pick: Pick, commented: &[usize]) -> Problem {
    let lines: Vec<usize> = script.commands.iter().map(|one| one.lines.0).collect();
    let others = start_lines(&lines, commented);
    let (kind, message) = match pick {
        Pick::Line(line) if others.is_some() => (
            ProblemKind::OutOfRange,
            format!("no start line on line {line}"),
        ),
        Pick::Line(_) | Pick::First => {
            let message = "no start line of the Python application";
            (ProblemKind::Syntax, message.to_owned())
        }
    };
    let problem = Problem::new(kind, "", message);
    let others = match pick {
        Pick::Line(_) => others,
        Pick::First => others.map(|others| format!("{others}; `--line N` imports one")),
    };
    problem.hint(others.unwrap_or_else(|| {
        "expected variables such as FRAMEPACK_USE_BNB=1, or a command such as `python demo_gradio.py --fast-start`"
            .to_owned()
    }))
}

/// `start lines are on: 3; commented out on: 10, 16`
pub(super) fn start_lines(lines: &[usize], commented: &[usize]) -> Option<String> {
    let list = |lines: &[usize]| {
        let lines: Vec<String> = lines.iter().map(usize::to_string).collect();
        lines.join(", ")
    };
    match (lines, commented) {
        ([], []) => None,
        (lines, []) => Some(format!("start lines are on: {}", list(lines))),
        ([], commented) => Some(format!(
            "start lines are commented out on: {}",
            list(commented)
        )),
        (lines, commented) => Some(format!(
            "start lines are on: {}; commented out on: {}",
            list(lines),
            list(commented)
        )),
    }
}

/// The model that a program is for, where it is not the default.
fn model(program: &str) -> Option<Meant> {
    (stem(program).to_lowercase() == F1_PROGRAM).then(|| Meant {
        key: MODEL.key,
        text: Model::F1.as_str().to_owned(),
        names: vec![program.to_owned()],
        yields: false,
    })
}

/// The variables that reach the command. Others are told.
fn variables(command: &Command, translated: &mut Translated) -> Vec<Given> {
    let mut given = Vec::new();
    for one in &command.assignments {
        translated.repeated(&one.name, &one.value, &one.overruled);
        if let Some(expansion) = &one.expansion {
            let text = format!("left out: `{expansion}` is not expanded here");
            translated.note_of(&one.name, text);
        } else if one.value.trim().is_empty() {
            translated.note_of(&one.name, "empty, which counts as not set");
        } else if let Some(name) = table::variable(&one.name) {
            given.push(Given {
                at: Some(one.at),
                ..Given::new(name, &one.name, &one.value)
            });
        } else if table::is_of_the_application(&one.name) {
            unknown(&one.name, Some(one.at), translated);
        } else {
            let text = "not a variable of the Python application; set it in the daemon's environment if its workers need it";
            translated.note_of(&one.name, text);
        }
    }
    for one in &command.not_exported {
        if table::is_of_the_application(&one.name) {
            let text = format!(
                "left out: line {} sets it without `export`, so that it does not reach the command",
                one.at.line
            );
            translated.note_of(&one.name, text);
        }
    }
    given
}

impl Imported {
    /// What it means: the keys, and what there is to say besides.
    pub fn translated(&self) -> &Translated {
        &self.translated
    }
}

#[cfg(test)]
mod tests;
