//! Where a job file goes when the daemon is finished with it: a dated folder, with a report beside it.
//!
//! Reports are written first; the file's rename out of `claimed/` is the last step, so whatever
//! is still claimed is put away again after a crash, over the same names.

use std::{
    collections::BTreeSet,
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
use crate::report::{Outcome, Report};

/// Files that are put away together, so that they share the syncs of their folders.
#[derive(Debug)]
pub(super) struct Archive<'a> {
    papers: &'a Path,
    changed: BTreeSet<PathBuf>,
}

impl<'a> Archive<'a> {
    pub(super) fn new(papers: &'a Path) -> Self {
        Self {
            papers,
            changed: BTreeSet::new(),
        }
    }

    /// Puts the claimed file and its report into `<papers>/<outcome>/<date>/` as `<name>.<id>.*`.
    /// The report is durable at once, the places after [`Self::sync`].
    pub(super) fn put(&mut self, claim: &Claim, id: &str, report: &Report<'_>) -> io::Result<()> {
        let folder = self.folder(report.outcome())?;
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
        fs::rename(&claim.path, named(suffix))?;
        self.changed.extend(claim.path.parent().map(Path::to_owned));
        self.changed.insert(folder);
        Ok(())
    }

    /// Today's folder of an outcome.
    fn folder(&mut self, outcome: Outcome) -> io::Result<PathBuf> {
        let (year, month, day) = Timestamp::now().date();
        let of_outcome = self.papers.join(outcome.folder());
        let folder = of_outcome.join(format!("{year:04}-{month:02}-{day:02}"));
        if !folder.is_dir() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o770)
                .create(&folder)?;
            self.changed.extend([of_outcome, self.papers.to_owned()]);
        }
        Ok(folder)
    }

    /// Makes the places of all files durable.
    pub(super) fn sync(self) -> io::Result<()> {
        self.changed.iter().try_for_each(|folder| sync_dir(folder))
    }
}

/// Writes a file so that it is either all there or not at all.
pub(super) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    let temporary = path.with_file_name(name);
    let mut file = File::create(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_11_a_report_is_all_there_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cat.1.report.json");
        // What a daemon leaves that is killed while it writes one.
        fs::write(dir.path().join(".cat.1.report.json"), "half a rep").unwrap();
        write_whole(&path, b"a report").unwrap();
        write_whole(&path, b"the same again").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"the same again");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);

        // A report that can't be written leaves the one that is there.
        fs::create_dir(dir.path().join(".cat.1.report.json")).unwrap();
        assert!(write_whole(&path, b"half").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"the same again");
    }
}
