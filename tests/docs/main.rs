//! The documents, held against the programs: README.md and docs/*.md are read, their shell blocks are run, commands that
//! can't be run are held against `--help`, and YAML, links and error codes are checked.
//!
//! A block that can't run here says why behind its language, as in `sh no-run: needs a GPU`.
#![expect(clippy::unwrap_used, reason = "a test's fixtures are right")]

mod codes;
mod help;
mod markdown;
mod session;
mod shell;
mod yaml;

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    help::Help,
    markdown::{Block, Page},
    shell::{Call, PROGRAMS, calls},
};

/// Folders of the repository whose files documents name in commands.
const FOLDERS: [&str; 5] = ["bench/", "scripts/", "tests/", "jobs/", "config/"];
/// Languages of blocks that are no commands and no YAML.
const OTHERS: [&str; 3] = ["", "text", "ini"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

/// Where the programs are that `make build` builds.
fn programs() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_framepackd"))
        .parent()
        .unwrap()
        .to_owned()
}

/// Every page with its path in the repository.
fn pages() -> Vec<(String, Page)> {
    let mut names = vec!["README.md".to_owned()];
    for entry in fs::read_dir(repository().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if Path::new(&name)
            .extension()
            .is_some_and(|suffix| suffix == "md")
        {
            names.push(format!("docs/{name}"));
        }
    }
    let read = |name: String| {
        let text = fs::read_to_string(repository().join(&name)).unwrap();
        (name, Page::read(&text))
    };
    names.into_iter().map(read).collect()
}

/// Fails with all that was found.
#[track_caller]
fn assert_none(mistakes: &[String]) {
    assert!(mistakes.is_empty(), "\n{}", mistakes.join("\n"));
}

#[test]
fn blocks_are_commands_or_yaml_or_say_what_they_are() {
    let mut mistakes = Vec::new();
    for (name, page) in pages() {
        for Block {
            line,
            language,
            note,
            ..
        } in &page.blocks
        {
            let is_known = match language.as_str() {
                "sh" => {
                    note.is_empty()
                        || note
                            .strip_prefix("no-run: ")
                            .is_some_and(|why| !why.is_empty())
                }
                "yaml" => note.is_empty(),
                other => OTHERS.contains(&other),
            };
            if !is_known {
                mistakes.push(format!("{name}:{line}: {language} {note}"));
            }
        }
        for (line, text) in &page.prose {
            if text.strip_prefix("    ").is_some_and(is_command) {
                mistakes.push(format!(
                    "{name}:{line}: a command outside of a block: {text}"
                ));
            }
        }
    }
    assert_none(&mistakes);
}

/// Whether a text calls make or a program of the project.
fn is_command(text: &str) -> bool {
    let is_known = |call: &Call| {
        let program = call[0].as_str();
        program == "make" || PROGRAMS.contains(&program)
    };
    calls(text).iter().any(is_known)
}

#[test]
fn commands_flags_targets_and_files_exist() {
    let mut help = Help::of(&programs());
    let makefile = fs::read_to_string(repository().join("Makefile")).unwrap();
    let mut mistakes = Vec::new();
    let mut checked = 0;
    for (name, page) in pages() {
        for (line, text) in commands(&page) {
            for call in calls(&text) {
                checked += 1;
                let found = [help.check(&call), targets(&call, &makefile), files(&call)];
                let whys = found.into_iter().filter_map(Result::err);
                mistakes.extend(whys.map(|why| format!("{name}:{line}: {why}")));
            }
        }
    }
    assert_none(&mistakes);
    assert!(checked > 200, "{checked} calls are suspiciously few");
}

/// Texts of shell, with their lines: blocks, what follows `$` in other blocks, and code in the text.
fn commands(page: &Page) -> Vec<(usize, String)> {
    let mut commands = Vec::new();
    for block in &page.blocks {
        if block.language == "sh" {
            commands.push((block.line, block.text.clone()));
        } else {
            let shown = block
                .text
                .lines()
                .filter_map(|line| line.strip_prefix("$ "));
            commands.extend(shown.map(|text| (block.line, text.to_owned())));
        }
    }
    commands.extend(page.spans().map(|(line, span)| (line, span.to_owned())));
    commands
}

/// What a call of make is to make exists.
fn targets(call: &Call, makefile: &str) -> Result<(), String> {
    let is_target = |word: &str| {
        let rule = format!("{word}:");
        makefile.lines().any(|line| line.starts_with(&rule))
    };
    let mut words = call[1..].iter().filter(|word| !word.contains(['=', '-']));
    match words.find(|word| call[0] == "make" && !is_target(word)) {
        Some(word) => Err(format!("there is no `make {word}`")),
        None => Ok(()),
    }
}

/// Files of the repository that a call names exist. A path alone is no call.
fn files(call: &Call) -> Result<(), String> {
    let is_file = |word: &&String| FOLDERS.iter().any(|folder| word.starts_with(folder));
    let mut words = call.iter().filter(is_file);
    match words.find(|word| call.len() > 1 && !repository().join(word).exists()) {
        Some(word) => Err(format!("there is no {word}")),
        None => Ok(()),
    }
}

#[test]
fn shell_blocks_run() {
    let mut mistakes = Vec::new();
    let mut run = 0;
    for (name, page) in pages() {
        let blocks = page.blocks.iter();
        let blocks: Vec<_> = blocks
            .filter(|block| block.language == "sh" && block.reason().is_none())
            .collect();
        if blocks.is_empty() {
            continue;
        }
        run += 1;
        if let Err(why) = session::run(&name, &blocks) {
            mistakes.push(why);
        }
    }
    assert_none(&mistakes);
    assert!(run >= 2, "the quick start and the page on memory have some");
}

#[test]
fn yaml_blocks_are_jobs_or_configurations() {
    let mut mistakes = Vec::new();
    for (name, page) in pages() {
        for block in page.blocks.iter().filter(|block| block.language == "yaml") {
            if let Err(why) = yaml::check(&block.text, &programs()) {
                mistakes.push(format!("{name}:{}: {why}", block.line));
            }
        }
    }
    assert_none(&mistakes);
}

#[test]
fn links_lead_somewhere() {
    let mut mistakes = Vec::new();
    for (name, page) in pages() {
        let folder = repository().join(&name).parent().unwrap().to_owned();
        for (line, target) in page.links().filter(|(_, target)| !target.contains("://")) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() {
                repository().join(&name)
            } else {
                folder.join(file)
            };
            let is_there = path.exists()
                && (anchor.is_empty() || {
                    let text = fs::read_to_string(&path).unwrap();
                    Page::read(&text)
                        .anchors()
                        .iter()
                        .any(|known| known == anchor)
                });
            if !is_there {
                mistakes.push(format!("{name}:{line}: {target}"));
            }
        }
    }
    assert_none(&mistakes);
}

#[test]
fn the_readme_is_short() {
    let lines = fs::read_to_string(repository().join("README.md"))
        .unwrap()
        .lines()
        .count();
    assert!(lines <= 120, "{lines} lines");
}
