//! What a fetch would do: files with their sizes, and what is there already.

use serde::Serialize;

use crate::{
    catalog::Selection,
    commands::installed::{Installed, Known},
    failure::Failure,
    fetch::{Planned, State},
    hash::HubHash,
    licence::Licence,
    output::{Output, count, size, table},
    target::{Target, free_bytes},
};

/// A file.
#[derive(Debug, Serialize)]
pub(super) struct FileRow {
    repository: &'static str,
    path: String,
    bytes: u64,
    missing_bytes: u64,
    state: State,
    /// What the Hub calls it, as far as that is known.
    hash: Option<HubHash>,
    /// Who fetches it accepts this.
    licence: Licence,
}

/// The files that the Hub has.
pub(super) fn planned(planned: &[Planned<'_>]) -> Vec<FileRow> {
    let row = |planned: &Planned<'_>| FileRow {
        repository: planned.listing.repository.name,
        path: planned.file.path.clone(),
        bytes: planned.file.bytes,
        missing_bytes: planned.missing_bytes(),
        state: planned.state(),
        hash: Some(planned.file.hash.clone()),
        licence: planned.listing.licence.clone(),
    };
    planned.iter().map(row).collect()
}

/// The files that are there, where the Hub may not be asked which it has.
pub(super) fn installed(target: &Target, models: Selection) -> Vec<FileRow> {
    let mut rows = Vec::new();
    for repository in models.repositories() {
        let parts = Installed::all(target.root()).into_iter();
        for part in parts.filter(|it| repository.components.contains(&it.component)) {
            rows.extend(part.files.iter().map(|file| FileRow {
                repository: repository.name,
                path: part.published(file).display().to_string(),
                bytes: file.bytes,
                missing_bytes: 0,
                state: match file.known {
                    Known::Checked(_) => State::Checked,
                    Known::Hash(_) | Known::Nothing => State::There,
                },
                hash: file.known.hash().cloned(),
                licence: Licence::known(repository.name),
            }));
        }
    }
    rows
}

/// Tells the user of them.
pub(super) fn show(rows: Vec<FileRow>, target: &Target, output: &Output) -> Result<(), Failure> {
    let folder = target.root();
    let free = free_bytes(folder).map_err(|error| Failure::folder(folder, &error))?;
    let text = |rows: &[FileRow]| {
        let cells = rows.iter().map(|row| {
            [
                row.repository.to_owned(),
                row.path.clone(),
                size(row.bytes),
                row.state.as_str().to_owned(),
            ]
        });
        let files = table(["REPOSITORY", "FILE", "SIZE", "STATE"], cells);
        let sum = |bytes: fn(&FileRow) -> u64| size(rows.iter().map(bytes).sum());
        format!(
            "{files}{} in {}, {} to fetch; {} has room for {}\n",
            sum(|row| row.bytes),
            count(rows.len() as u64, "file"),
            sum(|row| row.missing_bytes),
            folder.display(),
            size(free)
        )
    };
    Ok(output.records("ModelFile", rows, text)?)
}
