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

use framepack_jobs::{Job, Timestamp};
use serde_json::Value;

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

    /// The dated folder in which files of a job are that had failed, was retried and has ended again, unless they say so
    /// already. Files of which nothing is there any more are left alone, and so are those of another daemon's job.
    pub(super) fn outdated(&self, name: &OsStr, job: &Job) -> io::Result<Option<PathBuf>> {
        let names = Names::new(name, &job.id.to_string());
        let Some(folder) = self.find(&names)? else {
            return Ok(None);
        };
        let report = fs::read(names.beside(&folder, REPORT)).unwrap_or_default();
        let report: Value = serde_json::from_slice(&report).unwrap_or_default();
        let says = |key: &str| Some(report["job"].get(key)?.as_str().map(str::to_owned));
        let is_another =
            says("submitted_at").is_some_and(|at| at != Some(job.submitted_at.to_string()));
        let finished_at = job.state.finished_at().map(|at| at.to_string());
        let is_current = says("finished_at").is_some_and(|at| at == finished_at);
        Ok((!is_another && !is_current).then_some(folder))
    }

    /// Moves the files of such a job from there. Its first report goes.
    pub(super) fn put_again(
        &mut self,
        (name, before): (&OsStr, &Path),
        id: &str,
        report: &Report<'_>,
    ) -> io::Result<()> {
        let names = Names::new(name, id);
        let folder = self.folder(report.outcome())?;
        if names.file(before).exists() {
            self.file(&names.file(before), &names, &folder, report)?;
        }
        if folder != before {
            for suffix in [REPORT, WORDS] {
                // Not each report has words.
                let _ = fs::remove_file(names.beside(before, suffix));
            }
            self.changed.insert(before.to_owned());
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

    /// The dated folder in which the file of a failed job is, or a report that was left when it was moved.
    fn find(&self, names: &Names<'_>) -> io::Result<Option<PathBuf>> {
        let failed = match fs::read_dir(self.spool_dir.join(Outcome::Failed.folder())) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            failed => failed?,
        };
        for entry in failed {
            let folder = entry?.path();
            let has = |path: PathBuf| path.exists();
            if has(names.file(&folder)) || has(names.beside(&folder, REPORT)) {
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
