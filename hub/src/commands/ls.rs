//! `ls`: which parts of the models are there, where, and whether they were checked.

use std::path::Path;

use framepack_bundle::{Component, Finding, hub_commit, look};
use framepack_jobs::Code;
use serde::Serialize;

use super::installed::{Installed, Known};
use crate::{
    cli,
    environment::Environment,
    failure::Failure,
    output::{Output, count, size, table},
    target::Target,
};

/// A part of the models.
#[derive(Debug, Serialize)]
struct Row {
    component: &'static str,
    repository: &'static str,
    state: State,
    files: usize,
    bytes: u64,
    hashes: Hashes,
    folder: Option<String>,
    /// What is wrong with it.
    findings: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Complete,
    Incomplete,
    Missing,
}

/// What is known of its files' hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Hashes {
    /// All were checked, and none was written since.
    Checked,
    /// All are known, as the names of the cache's blobs, and not all were checked.
    Known,
    /// Not all are known.
    Unknown,
    /// There are no files.
    None,
}

pub(super) fn run(
    args: &cli::Folder,
    environment: &Environment,
    output: &Output,
) -> Result<(), Failure> {
    let target = super::folder::existing(args.folder.as_deref(), environment)?;
    let root = target.root();
    let installed = Installed::all(root);
    let findings = look(root, None).findings;
    let rows = Component::ALL.map(|component| {
        let there = installed.iter().find(|it| it.component == component);
        row(component, there, of(component, &findings, &target))
    });
    let text = |rows: &[Row]| {
        let cells = rows.iter().map(|row| {
            [
                row.component.to_owned(),
                word(row.state).to_owned(),
                size(row.bytes),
                hashes(row.hashes).to_owned(),
                row.folder.clone().unwrap_or_default(),
            ]
        });
        let mut text = table(["PART", "STATE", "SIZE", "HASHES", "WHERE"], cells);
        for finding in rows.iter().flat_map(|row| &row.findings) {
            text += finding;
            text.push('\n');
        }
        let of = |state| rows.iter().filter(|row| row.state == state).count();
        let [complete, incomplete, missing] =
            [State::Complete, State::Incomplete, State::Missing].map(of);
        text + &format!(
            "In {}: {} complete, {incomplete} incomplete, {missing} missing\n",
            root.display(),
            count(complete as u64, "part")
        )
    };
    Ok(output.records("ModelPart", rows.into(), text)?)
}

/// What is worth a line beside the state of a part.
fn of<'f>(component: Component, findings: &'f [Finding], target: &Target) -> Vec<&'f Finding> {
    // That a part is not there is what its state says, unless snapshots are there that no reference leads to.
    let is_said = |finding: &Finding| {
        finding.code == Code::MODEL_INCOMPLETE
            && !is_astray(&target.repository(component.published().0))
    };
    let findings = findings.iter();
    findings
        .filter(|finding| finding.component == Some(component) && !is_said(finding))
        .collect()
}

/// Whether a repository of the Hub's cache has snapshots, and none that counts.
fn is_astray(repository: &Path) -> bool {
    let snapshots = repository.join("snapshots");
    let counts = hub_commit(repository).is_some_and(|commit| snapshots.join(commit).is_dir());
    snapshots.is_dir() && !counts
}

fn row(component: Component, there: Option<&Installed>, findings: Vec<&Finding>) -> Row {
    let state = match there {
        Some(_) if findings.is_empty() => State::Complete,
        Some(_) => State::Incomplete,
        None => State::Missing,
    };
    let files = there.map_or(&[][..], |it| &it.files);
    let are = |is: fn(&Known) -> bool| files.iter().all(|file| is(&file.known));
    Row {
        component: component.folder(),
        repository: component.published().0,
        state,
        files: files.len(),
        bytes: there.map_or(0, Installed::bytes),
        hashes: match files {
            [] => Hashes::None,
            _ if are(|known| matches!(known, Known::Checked(_))) => Hashes::Checked,
            _ if are(|known| *known != Known::Nothing) => Hashes::Known,
            _ => Hashes::Unknown,
        },
        folder: there.map(|it| it.folder.display().to_string()),
        findings: findings
            .into_iter()
            .map(|finding| format!("{} [{}]", finding.message, finding.code))
            .collect(),
    }
}

fn word(state: State) -> &'static str {
    match state {
        State::Complete => "complete",
        State::Incomplete => "incomplete",
        State::Missing => "missing",
    }
}

fn hashes(hashes: Hashes) -> &'static str {
    match hashes {
        Hashes::Checked => "checked",
        Hashes::Known => "known",
        Hashes::Unknown => "unknown",
        Hashes::None => "",
    }
}
