//! Where a job file goes when the daemon is finished with it: a dated folder, with a report beside it.
//!
//! Reports are written first; the file's rename out of `claimed/` is the last step, so whatever
//! is still claimed is put away again after a crash, over the same names.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, DirBuilder, File},
    io::{self, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use framepack_jobs::Timestamp;

use super::{
    claim::{Claim, sync_dir},
    name::split_suffix,
};
use crate::report::Report;

/// Puts the claimed file and its report into `<jobs>/<outcome>/<date>/` as `<name>.<id>.*`.
pub(super) fn put_away(
    jobs: &Path,
    claim: &Claim,
    id: &str,
    report: &Report<'_>,
) -> io::Result<PathBuf> {
    let (year, month, day) = Timestamp::now().date();
    let folder = jobs
        .join(report.outcome().folder())
        .join(format!("{year:04}-{month:02}-{day:02}"));
    DirBuilder::new()
        .recursive(true)
        .mode(0o770)
        .create(&folder)?;

    let (stem, suffix) = split_suffix(&claim.name);
    let named = |suffix: &OsStr| {
        let mut name = OsString::from(stem);
        name.push(".");
        name.push(id);
        name.push(suffix);
        folder.join(name)
    };
    let mut json = serde_json::to_vec_pretty(report).map_err(io::Error::other)?;
    json.push(b'\n');
    write_whole(&named(OsStr::new(".report.json")), &json)?;
    if let Some(words) = report.in_words() {
        write_whole(&named(OsStr::new(".report.txt")), words.as_bytes())?;
    }
    let target = named(suffix);
    fs::rename(&claim.path, &target)?;
    sync_dir(&folder)?;
    claim.path.parent().map_or(Ok(()), sync_dir)?;
    Ok(target)
}

/// Writes a file so that it is either all there or not at all.
fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    let temporary = path.with_file_name(name);
    let mut file = File::create(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}
