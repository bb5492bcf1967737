//! `import`: models that other programs have fetched, found and used where they are. Nothing is copied: either the
//! folder is a bundle as it is, or `--to` makes a folder of links.
//!
//! - `find`: the walk through the folders
//! - `part`: parts in folders of their own; `single`: weights as one file
//! - `link`: the folder of links
//! - `next`: what there is to do after that

use std::{
    fs,
    path::{Path, PathBuf},
};

use framepack_ipc::{Envelope, ErrorBody};
use framepack_jobs::Code;
use serde::Serialize;

use crate::{
    cli,
    environment::Environment,
    failure::Failure,
    output::{Output, table},
    target::Target,
};

mod find;
mod link;
mod next;
mod part;
mod single;

use find::{Search, find};
use link::link;
use next::Next;
use part::Found;
use single::Unusable;

/// A part that was found.
#[derive(Debug, Serialize)]
struct Row {
    component: &'static str,
    state: State,
    /// Where it is: a folder, or a file with its weights.
    folder: String,
    /// The folder of links to it, if it was asked for.
    linked: Option<String>,
    /// What is missing of it, or why it can't be used.
    findings: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Complete,
    Incomplete,
    Unusable,
}

pub(super) fn run(
    args: &cli::Import,
    environment: &Environment,
    output: &Output,
) -> Result<(), Failure> {
    let from = absolute(&args.from)?;
    fs::read_dir(&from).map_err(|error| Failure::folder(&from, &error))?;
    let links = args.to.as_deref().map(|to| links_in(to, environment));
    let target = links.transpose()?;
    let search = find(&from);
    if search.found.is_empty() {
        return Err(nothing(&from, &search));
    }
    let mut rows = Vec::new();
    for found in &search.found {
        let linked = target.as_ref().map(|target| link(found, target));
        rows.push(Row::found(found, linked.transpose()?));
    }
    rows.extend(search.unusable.iter().map(Row::unusable));
    let next = Next {
        from: &from,
        search: &search,
        target: target.as_ref(),
        environment,
    };
    let steps = next.steps();
    let envelope = Envelope {
        warnings: search.gaps(&from),
        ..Envelope::new("ModelPart", rows)
    };
    let text = || {
        let lines = [&*envelope.warnings, &*steps.lines].concat();
        format!("{}{}\n", text(&envelope.items), lines.join("\n"))
    };
    Ok(output.records_with(&envelope, &steps, text)?)
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| Failure::folder(path, &error))
}

/// Where links are made: where `fetch --to` looks for them. In the Hub's cache other programs would not know them.
fn links_in(folder: &Path, environment: &Environment) -> Result<Target, Failure> {
    let target = super::folder::target(Some(folder), environment)?;
    let Target::HubCache(cache) = &target else {
        return Ok(target);
    };
    let message = format!(
        "{} is a cache of the Hub, not a folder for links",
        cache.display()
    );
    let hint = "name another folder with `--to DIR`: it may be a new one";
    Err(ErrorBody::new(Code::USAGE, message).hint(hint).into())
}

fn nothing(from: &Path, search: &Search) -> Failure {
    let mut message = format!("no part of FramePack's models in {}", from.display());
    if !search.unusable.is_empty() {
        message += " that can be used";
    }
    let told = |it: &Unusable| format!("; {}: {}", it.path.display(), it.reason);
    message.extend(search.unusable.iter().map(told));
    let gaps = search.gaps(from).into_iter();
    message.extend(gaps.map(|gap| format!("; {gap}")));
    ErrorBody::new(Code::IMPORT_NOTHING, message).into()
}

fn text(rows: &[Row]) -> String {
    let cells = rows.iter().map(|row| {
        let state = match row.state {
            State::Complete => "complete",
            State::Incomplete => "incomplete",
            State::Unusable => "not usable",
        };
        [
            row.component.to_owned(),
            state.to_owned(),
            row.folder.clone(),
        ]
    });
    let mut text = table(["PART", "STATE", "WHERE"], cells);
    for finding in rows.iter().flat_map(|row| &row.findings) {
        text += finding;
        text.push('\n');
    }
    text
}

impl Row {
    fn found(found: &Found, linked: Option<PathBuf>) -> Self {
        let findings = found.findings.iter();
        Self {
            component: found.component.folder(),
            state: if found.is_complete() {
                State::Complete
            } else {
                State::Incomplete
            },
            folder: found.path().display().to_string(),
            linked: linked.map(|path| path.display().to_string()),
            findings: findings.map(|it| it.message.clone()).collect(),
        }
    }

    fn unusable(unusable: &Unusable) -> Self {
        let path = unusable.path.display();
        Self {
            component: unusable.component.folder(),
            state: State::Unusable,
            folder: path.to_string(),
            linked: None,
            findings: vec![format!("{path} is not usable: {}", unusable.reason)],
        }
    }
}
