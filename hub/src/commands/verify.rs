//! `verify`: all files compared with their hashes.

use std::{
    num::NonZero,
    path::Path,
    sync::{Mutex, PoisonError, atomic::AtomicBool},
};

use framepack_bundle::{Component, Finding, look};
use framepack_ipc::ErrorBody;
use framepack_jobs::Code;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::installed::{Installed, InstalledFile};
use crate::{
    cli,
    environment::Environment,
    failure::Failure,
    fetch::each,
    hash,
    output::{Output, size, table},
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
}

pub(super) fn run(
    args: &cli::Folder,
    environment: &Environment,
    output: &Output,
) -> Result<(), Failure> {
    let target = super::folder::target(args.folder.as_deref(), environment)?;
    let root = target.root();
    let rows = compare(&Installed::all(root))?;
    let mut errors: Vec<ErrorBody> = damaged(&rows).collect();
    errors.extend(lacking(root));
    let text = |rows: &[Row]| {
        let cells = rows.iter().map(|row| {
            let state = match row.state {
                State::Ok => "ok",
                State::Damaged => "damaged",
                State::NoHash => "no hash",
            };
            [row.path.clone(), size(row.bytes), state.to_owned()]
        });
        table(["FILE", "SIZE", "STATE"], cells)
    };
    if errors.is_empty() {
        return Ok(output.records("ModelFile", rows, text)?);
    }
    // With JSON there is one document, the error's.
    output.say(text(&rows).trim_end())?;
    let first = errors.remove(0);
    Err(Failure::of(first, errors))
}

fn compare(installed: &[Installed]) -> Result<Vec<Row>, Failure> {
    let files: Vec<&InstalledFile> = installed.iter().flat_map(|it| &it.files).collect();
    let rows = Mutex::new(Vec::new());
    // Drawn on a terminal only.
    let bar = ProgressBar::new(files.iter().map(|file| file.bytes).sum());
    let style = "{wide_bar} {binary_bytes} of {binary_total_bytes} compared, {eta} left";
    bar.set_style(ProgressStyle::with_template(style).expect("the template has known keys"));
    let work = |file: &&InstalledFile| {
        let row = compared(file, &bar)?;
        rows.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(row);
        Ok::<_, Failure>(())
    };
    each(JOBS, &files, &AtomicBool::new(false), work)?;
    bar.finish_and_clear();
    let mut rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
    rows.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(rows)
}

fn compared(file: &InstalledFile, bar: &ProgressBar) -> Result<Row, Failure> {
    let (state, sha256) = match file.known.hash() {
        None => (State::NoHash, None),
        Some(hash) => {
            let digests = hash::of_file(&file.path, Some(hash), |bytes| bar.inc(bytes));
            let digests = digests.map_err(|error| Failure::folder(&file.path, &error))?;
            let state = if hash.is_of(&digests) {
                State::Ok
            } else {
                State::Damaged
            };
            (state, Some(digests.sha256))
        }
    };
    Ok(Row {
        path: file.path.display().to_string(),
        bytes: file.bytes,
        state,
        sha256,
    })
}

fn damaged(rows: &[Row]) -> impl Iterator<Item = ErrorBody> {
    let damaged = rows.iter().filter(|row| row.state == State::Damaged);
    damaged.map(|row| {
        let message = format!("{} is not what its hash says", row.path);
        ErrorBody::new(Code::MODELS_DAMAGED, message).path(&*row.path)
    })
}

/// What is missing or cut short. Whoever has F1 alone does not lack the other transformer.
fn lacking(root: &Path) -> impl Iterator<Item = ErrorBody> {
    let is_other = |finding: &Finding| {
        finding.code == Code::MODEL_INCOMPLETE
            && finding.component == Some(Component::Transformer)
            && finding.model.is_some()
    };
    let findings = look(root, None).findings.into_iter();
    findings
        .filter(move |finding| !is_other(finding))
        .map(|finding| ErrorBody::new(finding.code, finding.message))
}
