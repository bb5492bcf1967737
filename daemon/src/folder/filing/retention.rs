//! How long filed jobs stay where they are. After that they are moved to `archive/`, and removed only where the
//! configuration says so.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use framepack_config::{Expired, Limit, Retention};
use framepack_jobs::Timestamp;

use crate::{clock::is_known, file::sync_dir, folder::dropped::split_suffix, record::Outcome};

/// Time between two looks for files that are too old.
pub(super) const INTERVAL: Duration = Duration::from_hours(1);

const SECS_PER_DAY: u64 = 86_400;

/// What is kept of one outcome.
#[derive(Debug, Clone, Copy)]
struct Rule {
    outcome: Outcome,
    days: Limit,
    jobs: Limit,
}

/// Moves or removes what is older than the rules say, or too much. How many files that were.
pub(super) fn clear(spool_dir: &Path, rules: &Retention, now: Timestamp) -> io::Result<usize> {
    let rule = |outcome, days, jobs| Rule {
        outcome,
        days,
        jobs,
    };
    let mut cleared = 0;
    for rule in [
        rule(Outcome::Done, rules.done_days, rules.done_files),
        rule(Outcome::Duplicate, rules.done_days, Limit::Never),
        rule(Outcome::Failed, rules.failed_days, Limit::Never),
        rule(Outcome::Rejected, rules.failed_days, Limit::Never),
    ] {
        let of_outcome = OutcomeFolder {
            spool_dir,
            name: rule.outcome.folder(),
            then: rules.then,
        };
        cleared += of_outcome.clear(rule, now)?;
    }
    Ok(cleared)
}

/// The dated folders of one outcome.
#[derive(Debug)]
struct OutcomeFolder<'a> {
    spool_dir: &'a Path,
    name: &'static str,
    then: Expired,
}

impl OutcomeFolder<'_> {
    fn clear(&self, rule: Rule, now: Timestamp) -> io::Result<usize> {
        let mut days = self.days()?;
        // A clock that was wrong says nothing of their age.
        days.retain(|day| is_known_day(day));
        let mut cleared = 0;
        if let Some(first) = first_day(rule.days, now) {
            let kept = days.split_off(days.partition_point(|day| *day < first));
            for day in days {
                cleared += self.clear_jobs(&day, &self.jobs_of(&day)?)?;
            }
            days = kept;
        }
        let Limit::At(jobs) = rule.jobs else {
            return Ok(cleared);
        };
        let mut left = jobs as usize;
        for day in days.iter().rev() {
            let mut jobs = self.jobs_of(day)?;
            let surplus = jobs.split_off(jobs.len().min(left));
            left -= jobs.len();
            cleared += self.clear_jobs(day, &surplus)?;
        }
        Ok(cleared)
    }

    fn path(&self, day: &str) -> PathBuf {
        self.spool_dir.join(self.name).join(day)
    }

    /// The dates of the folders, the oldest first. Folders not named by a date are left alone.
    fn days(&self) -> io::Result<Vec<String>> {
        let mut days = Vec::new();
        for entry in entries(&self.spool_dir.join(self.name))? {
            let name = entry.file_name().into_string();
            days.extend(name.ok().filter(|name| is_date(name)));
        }
        days.sort();
        Ok(days)
    }

    /// The names of each job's files, the latest job first.
    fn jobs_of(&self, day: &str) -> io::Result<Vec<Vec<OsString>>> {
        let mut jobs: BTreeMap<OsString, (SystemTime, Vec<OsString>)> = BTreeMap::new();
        for entry in entries(&self.path(day))? {
            let name = entry.file_name();
            let written = entry.metadata()?.modified()?;
            let job = jobs.entry(job_part(&name).to_owned());
            let (latest, files) = job.or_insert((written, Vec::new()));
            *latest = written.max(*latest);
            files.push(name);
        }
        let mut jobs: Vec<_> = jobs.into_values().collect();
        jobs.sort_by_key(|(written, _)| Reverse(*written));
        Ok(jobs.into_iter().map(|(_, files)| files).collect())
    }

    /// Moves or removes these files of a day, and the day's folder when it is empty.
    fn clear_jobs(&self, day: &str, jobs: &[Vec<OsString>]) -> io::Result<usize> {
        if jobs.is_empty() {
            return Ok(0);
        }
        let from = self.path(day);
        let to = self.spool_dir.join("archive").join(self.name).join(day);
        if self.then == Expired::Archive {
            fs::create_dir_all(&to)?;
        }
        let mut cleared = 0;
        for name in jobs.iter().flatten() {
            let path = from.join(name);
            match self.then {
                Expired::Archive => fs::rename(path, to.join(name))?,
                Expired::Delete if path.is_dir() => fs::remove_dir_all(path)?,
                Expired::Delete => fs::remove_file(path)?,
            }
            cleared += 1;
        }
        if self.then == Expired::Archive {
            sync_dir(&to)?;
        }
        // Refused as long as something is in it.
        if fs::remove_dir(&from).is_err() {
            sync_dir(&from)?;
        }
        Ok(cleared)
    }
}

/// What is in a folder; nothing, if there is no such folder.
fn entries(folder: &Path) -> io::Result<Vec<fs::DirEntry>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.collect(),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

/// The part of a file's name that the files of its job have in common.
fn job_part(name: &OsStr) -> &OsStr {
    let reports = [".report.json", ".report.txt"];
    let report = reports.iter().find_map(|suffix| {
        let stem = name.as_bytes().strip_suffix(suffix.as_bytes())?;
        Some(OsStr::from_bytes(stem))
    });
    report.unwrap_or_else(|| split_suffix(name).0)
}

/// The first day that is kept; `None`: all are.
fn first_day(days: Limit, now: Timestamp) -> Option<String> {
    let age = Duration::from_secs(u64::from(days.number()?) * SECS_PER_DAY);
    let now = SystemTime::UNIX_EPOCH + Duration::from_micros(now.as_micros());
    let first = Timestamp::from(now.checked_sub(age)?);
    Some(first.date().to_string())
}

/// Whether a day is one that a clock that was right has shown.
fn is_known_day(day: &str) -> bool {
    Timestamp::from_rfc3339(&format!("{day}T00:00:00Z")).is_some_and(is_known)
}

/// Whether a name is like `2026-11-23`.
fn is_date(name: &str) -> bool {
    let digit_or_dash = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    name.len() == 10 && name.bytes().enumerate().all(digit_or_dash)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs::File};

    use super::*;

    /// 2026-01-01, in days since 1970.
    const FIRST_DAY: u64 = 20_454;

    /// Puts a job's files there, as old as their day and later than those of lower numbers.
    fn put(spool_dir: &Path, outcome: &str, day: u64, id: u64) {
        let folder = spool_dir.join(format!("{outcome}/{}", Timestamp::from(at(day)).date()));
        fs::create_dir_all(&folder).unwrap();
        for suffix in ["yaml", "report.json"] {
            let file = File::create(folder.join(format!("cat.{id}.{suffix}"))).unwrap();
            file.set_modified(at(day) + Duration::from_secs(id))
                .unwrap();
        }
    }

    fn at(day: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs((FIRST_DAY + day) * SECS_PER_DAY)
    }

    /// Jobs whose files are in these folders.
    fn jobs(spool_dir: &Path, outcome: &str) -> BTreeSet<String> {
        let days = entries(&spool_dir.join(outcome)).unwrap();
        let files = days.iter().flat_map(|day| entries(&day.path()).unwrap());
        let names = files.map(|file| file.file_name().into_string().unwrap());
        names
            .filter_map(|name| Some(name.strip_suffix(".yaml")?.to_owned()))
            .collect()
    }

    #[test]
    fn rule_15_what_is_older_than_its_days_is_moved() {
        let dir = tempfile::tempdir().unwrap();
        for outcome in ["done", "duplicate", "failed", "rejected"] {
            for day in [1, 69, 70, 99] {
                put(dir.path(), outcome, day, day);
            }
        }
        let rules = Retention::default();
        let cleared = clear(dir.path(), &rules, at(100).into()).unwrap();
        assert_eq!(cleared, 12);
        for (outcome, kept, moved) in [
            ("done", vec!["cat.70", "cat.99"], vec!["cat.1", "cat.69"]),
            (
                "duplicate",
                vec!["cat.70", "cat.99"],
                vec!["cat.1", "cat.69"],
            ),
            ("failed", vec!["cat.69", "cat.70", "cat.99"], vec!["cat.1"]),
            (
                "rejected",
                vec!["cat.69", "cat.70", "cat.99"],
                vec!["cat.1"],
            ),
        ] {
            let names = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
            assert_eq!(jobs(dir.path(), outcome), names(kept), "{outcome}");
            let archive = dir.path().join("archive");
            assert_eq!(jobs(&archive, outcome), names(moved), "{outcome}");
        }
        assert!(!dir.path().join("done/2026-01-02").exists(), "it is empty");
    }

    #[test]
    fn rule_15_of_too_many_the_latest_stay() {
        let dir = tempfile::tempdir().unwrap();
        for (day, id) in [(97, 1), (98, 2), (98, 3), (98, 4), (99, 5)] {
            put(dir.path(), "done", day, id);
            put(dir.path(), "failed", day, id);
        }
        let rules = Retention {
            done_files: Limit::At(2),
            ..Retention::default()
        };
        assert_eq!(clear(dir.path(), &rules, at(100).into()).unwrap(), 6);
        let kept = ["cat.4", "cat.5"].map(str::to_owned);
        assert_eq!(jobs(dir.path(), "done"), kept.into());
        assert_eq!(jobs(&dir.path().join("archive"), "done").len(), 3);
        assert_eq!(jobs(dir.path(), "failed").len(), 5);
        assert_eq!(
            clear(dir.path(), &rules, at(100).into()).unwrap(),
            0,
            "again"
        );
    }

    #[test]
    fn rule_15_nothing_is_removed_unless_told_and_nothing_that_is_not_ours() {
        let dir = tempfile::tempdir().unwrap();
        put(dir.path(), "done", 1, 1);
        fs::create_dir_all(dir.path().join("done/keep")).unwrap();
        fs::create_dir_all(dir.path().join("done/1970-01-01")).unwrap();
        fs::write(dir.path().join("done/1970-01-01/a.yaml"), "").unwrap();
        fs::write(dir.path().join("done/keep/a.yaml"), "").unwrap();
        let for_ever = Retention {
            done_days: Limit::Never,
            done_files: Limit::Never,
            then: Expired::Delete,
            ..Retention::default()
        };
        assert_eq!(clear(dir.path(), &for_ever, at(100).into()).unwrap(), 0);
        let removed = Retention {
            then: Expired::Delete,
            ..Retention::default()
        };
        assert_eq!(clear(dir.path(), &removed, at(100).into()).unwrap(), 2);
        assert!(!dir.path().join("archive").exists());
        assert!(!dir.path().join("done/2026-01-02").exists());
        assert!(dir.path().join("done/keep/a.yaml").exists());
        let by_a_wrong_clock = dir.path().join("done/1970-01-01/a.yaml");
        assert!(by_a_wrong_clock.exists(), "nobody knows how old it is");
    }
}
