//! `verify`: all files compared with their hashes.

use std::{
    convert::Infallible,
    io,
    num::NonZero,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use framepack_bundle::{Component, Finding, look};
use framepack_ipc::ErrorBody;
use framepack_jobs::Code;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::{
    advice,
    installed::{Installed, InstalledFile},
};
use crate::{
    catalog::Selection,
    cli,
    environment::Environment,
    failure::Failure,
    fetch::{Stop, each},
    hash, manifest,
    output::{Output, count, size, table},
    target::Target,
};

/// Disks have more to give to more than one reader.
const JOBS: NonZero<usize> = NonZero::new(4).unwrap();

/// A file that was compared.
#[derive(Debug, Clone, Serialize)]
struct Row {
    path: String,
    bytes: u64,
    state: State,
    /// What it comes to now, by the kind of hash that is known of it.
    sha256: Option<String>,
    /// Why it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
    #[serde(skip)]
    component: Component,
    /// Its path in the repository.
    #[serde(skip)]
    published: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// As it should be.
    Ok,
    /// Not what its hash says.
    Damaged,
    /// No hash of it is known; its length is that of its header.
    NoHash,
    /// It can't be read.
    Unreadable,
}

pub(super) fn run(
    args: &cli::Folder,
    environment: &Environment,
    output: &Output,
) -> Result<(), Failure> {
    let target = super::folder::existing(args.folder.as_deref(), environment)?;
    let root = target.root();
    let installed = Installed::all(root);
    let rows = compare(&installed);
    let findings = faults(&target);
    let errors = errors(&rows, &findings, &installed, (&target, environment));
    let text = |rows: &[Row]| {
        let cells = rows.iter().map(|row| {
            let state = match row.state {
                State::Ok => "ok",
                State::Damaged => "damaged",
                State::NoHash => "no hash",
                State::Unreadable => "unreadable",
            };
            // The last line has the folder.
            let below = Path::new(&row.path).strip_prefix(root);
            let path = below.map_or_else(|_| row.path.clone(), |it| it.display().to_string());
            [path, size(row.bytes), state.to_owned()]
        });
        let files = table(["FILE", "SIZE", "STATE"], cells);
        let of = |state| rows.iter().filter(|row| row.state == state).count();
        let unknown = of(State::NoHash);
        let compared = rows.len() - unknown - of(State::Unreadable);
        format!(
            "{files}In {}: {} compared, {unknown} without a known hash\n",
            root.display(),
            count(compared as u64, "file")
        )
    };
    let Some(failure) = Failure::of(errors) else {
        return Ok(output.records("ModelFile", rows, text)?);
    };
    // With JSON there is one document, the error's.
    output.say(text(&rows).trim_end())?;
    Err(failure)
}

/// What is wrong. Whoever has one of the two models, or began to have it, does not lack the other.
fn faults(target: &Target) -> Vec<Finding> {
    let transformers = [Component::Transformer, Component::TransformerF1];
    let is_begun = |it: Component| target.repository(it.published().0).exists();
    let absent = match transformers.map(is_begun) {
        [true, false] => Some(Component::TransformerF1),
        [false, true] => Some(Component::Transformer),
        _ => None,
    };
    let is_absence = |finding: &Finding| {
        finding.code == Code::MODEL_INCOMPLETE && absent.is_some() && finding.component == absent
    };
    let look = look(target.root(), None);
    let faults = look.faults().filter(|finding| !is_absence(finding));
    faults.cloned().collect()
}

/// What is wrong, with the command that gets it again.
fn errors(
    rows: &[Row],
    findings: &[Finding],
    installed: &[Installed],
    (target, environment): (&Target, &Environment),
) -> Vec<ErrorBody> {
    let damaged: Vec<&Row> = rows
        .iter()
        .filter(|row| row.state == State::Damaged)
        .collect();
    let parts = damaged.iter().map(|row| row.component);
    let parts: Vec<Component> = parts
        .chain(findings.iter().filter_map(|it| it.component))
        .collect();
    let there: Vec<Component> = installed.iter().map(|it| it.component).collect();
    let command = advice::fetch(Selection::of(&parts, &there), target, environment);
    let mut findings = findings.to_vec();
    let mut errors = Vec::new();
    for row in damaged {
        let reasons = findings.extract_if(.., |finding| reason(finding, row).is_some());
        let reasons: Vec<Finding> = reasons.collect();
        let reason = reasons.first().and_then(|finding| reason(finding, row));
        errors.push(of_damaged((row, reason), target, &command));
    }
    errors.extend(rows.iter().filter_map(unreadable));
    errors.extend(advice::errors(&findings, target, &command));
    errors
}

/// Why a file could not be compared.
fn unreadable(row: &Row) -> Option<ErrorBody> {
    let reason = row.unreadable.as_ref()?;
    let message = format!("{}: {reason}", row.path);
    Some(ErrorBody::new(Code::MODEL_FOLDER, message).path(&*row.path))
}

/// What a finding says of a file that is told as damaged anyway.
fn reason<'f>(finding: &'f Finding, row: &Row) -> Option<&'f str> {
    let said = finding.message.strip_prefix(&row.path)?;
    said.starts_with([' ', ':']).then_some(said)
}

/// Sees to it that a damaged file is fetched again.
fn of_damaged((row, reason): (&Row, Option<&str>), target: &Target, command: &str) -> ErrorBody {
    let (repository, _) = row.component.published();
    let reason = match reason {
        Some(reason) if reason.starts_with(' ') => format!("; it{reason}"),
        Some(reason) => reason.to_owned(),
        None => String::new(),
    };
    let message = format!("{} is not what its hash says{reason}", row.path);
    let error = ErrorBody::new(Code::MODELS_DAMAGED, message).path(&*row.path);
    match manifest::distrust(target, repository, &row.published) {
        Ok(()) => error.hint(format!("run `{command}`: it replaces the file")),
        Err(failed) => error.hint(not_noted(target, repository, &failed, command)),
    }
}

/// A fetch would take the file for one that was checked.
fn not_noted(target: &Target, repository: &str, failed: &io::Error, command: &str) -> String {
    let note = target.manifest(repository);
    format!(
        "that could not be noted in {} ({failed}): run this again as a user who may write there, then `{command}`",
        note.display()
    )
}

fn compare(installed: &[Installed]) -> Vec<Row> {
    let of = |it| move |file| (it, file);
    let files = installed.iter().flat_map(|it| it.files.iter().map(of(it)));
    let files: Vec<(&Installed, &InstalledFile)> = files.collect();
    let rows = Mutex::new(Vec::new());
    // Drawn on a terminal only.
    let bar = ProgressBar::new(files.iter().map(|(_, file)| file.bytes).sum());
    let style = "{wide_bar} {binary_bytes} of {binary_total_bytes} compared, {eta} left";
    bar.set_style(ProgressStyle::with_template(style).expect("the template has known keys"));
    let work = |(part, file): &(&Installed, &InstalledFile)| {
        let row = compared(part, file, &bar);
        rows.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(row);
        Ok::<_, Infallible>(())
    };
    let Ok(()) = each(JOBS, &files, &Stop::default(), work);
    bar.finish_and_clear();
    let mut rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
    rows.sort_by(|a, b| a.path.cmp(&b.path));
    rows
}

fn compared(part: &Installed, file: &InstalledFile, bar: &ProgressBar) -> Row {
    let mut row = Row {
        path: file.path.display().to_string(),
        bytes: file.bytes,
        state: State::NoHash,
        sha256: None,
        unreadable: None,
        component: part.component,
        published: part.published(file),
    };
    let Some(hash) = file.known.hash() else {
        return row;
    };
    match hash::of_file(&file.path, Some(hash), |bytes| bar.inc(bytes)) {
        Ok(digests) => {
            let is_right = hash.is_of(&digests);
            row.state = if is_right { State::Ok } else { State::Damaged };
            row.sha256 = Some(digests.sha256);
        }
        Err(error) => {
            row.state = State::Unreadable;
            row.unreadable = Some(error.to_string());
        }
    }
    row
}
