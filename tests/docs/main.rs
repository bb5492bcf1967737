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
    shell::calls,
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
        if name.ends_with(".md") {
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
            let is_command = |text: &str| {
                calls(text)
                    .iter()
                    .any(|call| shell::PROGRAMS.contains(&call[0].as_str()) || call[0] == "make")
            };
            if text.strip_prefix("    ").is_some_and(is_command) {
                mistakes.push(format!(
                    "{name}:{line}: a command outside of a block: {text}"
                ));
            }
        }
    }
    assert_none(&mistakes);
}

#[test]
fn commands_flags_targets_and_files_exist() {
    let mut help = Help::of(&programs());
    let makefile = fs::read_to_string(repository().join("Makefile")).unwrap();
    let is_target = |word: &str| {
        makefile
            .lines()
            .any(|line| line.starts_with(&format!("{word}:")))
    };
    let mut mistakes = Vec::new();
    for (name, page) in pages() {
        let commands = page.blocks.iter().flat_map(|block| {
            let shown = block
                .text
                .lines()
                .filter_map(|line| line.strip_prefix("$ "));
            let shown = shown.map(str::to_owned).collect();
            let texts = if block.language == "sh" {
                vec![block.text.clone()]
            } else {
                shown
            };
            texts.into_iter().map(|text| (block.line, text))
        });
        let blocks: Vec<_> = commands.collect();
        let spans = page.spans().map(|(line, span)| (line, span.to_owned()));
        for (line, text) in blocks.into_iter().chain(spans) {
            for call in calls(&text) {
                if let Err(why) = help.check(&call) {
                    mistakes.push(format!("{name}:{line}: {why}"));
                }
                let targets = call[1..].iter().filter(|word| !word.contains(['=', '-']));
                for target in targets.filter(|_| call[0] == "make") {
                    if !is_target(target) {
                        mistakes.push(format!("{name}:{line}: there is no `make {target}`"));
                    }
                }
                for word in &call {
                    let is_file = FOLDERS.iter().any(|folder| word.starts_with(folder));
                    if is_file && call.len() > 1 && !repository().join(word).exists() {
                        mistakes.push(format!("{name}:{line}: there is no {word}"));
                    }
                }
            }
        }
    }
    assert_none(&mistakes);
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
