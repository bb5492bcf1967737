//! Where a job file goes when the daemon is finished with it: a dated folder, with a report beside it.
//!
//! Reports are written first; the file's rename out of `claimed/` is the last step, so whatever
//! is still claimed is filed again after a crash, over the same names.

use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use framepack_jobs::Timestamp;

use crate::{
    file::{sync_dir, write_whole},
    folder::{claims::Claim, dropped::split_suffix},
    record::{Outcome, Report},
};

const REPORT: &str = ".report.json";
const WORDS: &str = ".report.txt";

/// Files that are filed together, so that they share the syncs of their folders.
#[derive(Debug)]
pub(super) struct Archive<'a> {
    spool_dir: &'a Path,
    /// The time by which they are filed.
    now: Timestamp,
    changed: BTreeSet<PathBuf>,
}

impl<'a> Archive<'a> {
    pub(super) fn new(spool_dir: &'a Path, now: Timestamp) -> Self {
        Self {
            spool_dir,
            now,
            changed: BTreeSet::new(),
        }
    }

    /// Puts the claimed file and its report into `<spool_dir>/<outcome>/<date>/` as `<name>.<id>.*`.
    /// The report is durable at once, the places after [`Self::sync`].
    pub(super) fn put(&mut self, claim: &Claim, id: &str, report: &Report<'_>) -> io::Result<()> {
        let folder = self.folder(report.outcome())?;
        self.file(&claim.path, &Names::new(&claim.name, id), &folder, report)
    }

    /// The same for a job that had failed, was retried and has ended again: its file was filed before. Its first
    /// report goes. Files of which nothing is there any more are left alone.
    pub(super) fn put_again(
        &mut self,
        name: &OsStr,
        id: &str,
        report: &Report<'_>,
    ) -> io::Result<()> {
        let names = Names::new(name, id);
        let Some(before) = self.find(&names)? else {
            return Ok(());
        };
        let folder = self.folder(report.outcome())?;
        self.file(&names.file(&before), &names, &folder, report)?;
        if folder != before {
            for suffix in [REPORT, WORDS] {
                // Not each report has words.
                let _ = fs::remove_file(names.beside(&before, suffix));
            }
        }
        Ok(())
    }

    /// Writes the reports, then moves the file there.
    fn file(
        &mut self,
        path: &Path,
        names: &Names<'_>,
        folder: &Path,
        report: &Report<'_>,
    ) -> io::Result<()> {
        let mut json = serde_json::to_vec_pretty(report).map_err(io::Error::other)?;
        json.push(b'\n');
        write_whole(&names.beside(folder, REPORT), &json)?;
        if let Some(words) = report.in_words() {
            write_whole(&names.beside(folder, WORDS), words.as_bytes())?;
        }
        fs::rename(path, names.file(folder))?;
        self.changed.extend(path.parent().map(Path::to_owned));
        self.changed.insert(folder.to_owned());
        Ok(())
    }

    /// The dated folder in which the file of a failed job is.
    fn find(&self, names: &Names<'_>) -> io::Result<Option<PathBuf>> {
        for entry in fs::read_dir(self.spool_dir.join(Outcome::Failed.folder()))? {
            let folder = entry?.path();
            if names.file(&folder).exists() {
                return Ok(Some(folder));
            }
        }
        Ok(None)
    }

    /// Today's folder of an outcome.
    fn folder(&mut self, outcome: Outcome) -> io::Result<PathBuf> {
        let of_outcome = self.spool_dir.join(outcome.folder());
        let folder = of_outcome.join(self.now.date().to_string());
        if !folder.is_dir() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o770)
                .create(&folder)?;
            self.changed.extend([of_outcome, self.spool_dir.to_owned()]);
        }
        Ok(folder)
    }

    /// Makes the places of all files durable.
    pub(super) fn sync(self) -> io::Result<()> {
        self.changed.iter().try_for_each(|folder| sync_dir(folder))
    }
}

/// How a job's file and its reports are named: `<name>.<id>` and a suffix.
struct Names<'n> {
    stem: OsString,
    suffix: &'n OsStr,
}

impl<'n> Names<'n> {
    fn new(name: &'n OsStr, id: &str) -> Self {
        let (stem, suffix) = split_suffix(name);
        let mut stem = OsString::from(stem);
        stem.push(".");
        stem.push(id);
        Self { stem, suffix }
    }

    /// The job file itself.
    fn file(&self, folder: &Path) -> PathBuf {
        self.beside(folder, self.suffix)
    }

    fn beside(&self, folder: &Path, suffix: impl AsRef<OsStr>) -> PathBuf {
        let mut name = self.stem.clone();
        name.push(suffix);
        folder.join(name)
    }
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
