//! Taking a job file: one atomic rename into `claimed/<daemon-id>/`, so that of several daemons exactly one has it;
//! or, out of a folder that is only read, a copy there and a note in the list of what was taken.
//!
//! A claim keeps its file until the job has ended; what lies there at start belongs to this daemon and is recovered.

mod claim;
mod content;
mod ledger;
mod rename;

use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    fs::{self, DirBuilder},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

use nix::errno::Errno;

pub(crate) use self::claim::Claim;
use self::{claim::shorten, content::Content, ledger::Ledger, rename::rename_new};
use super::{
    dropped,
    notice::{Access, Places, Settled},
};
use crate::{
    file::{FileState, sync_dir},
    record::random_id,
};

/// The folder of this daemon's claims.
#[derive(Debug)]
pub(crate) struct Claims {
    places: Places,
    dir: PathBuf,
    how: ClaimMethod,
    /// Claimed files of jobs in the queue, by the claims' ids.
    of_jobs: HashMap<String, Claim>,
    /// Whether the last daemon's claims have been gone through.
    is_recovered: bool,
    /// Files that were claimed.
    total: u64,
}

/// How a file is taken.
#[derive(Debug)]
enum ClaimMethod {
    /// It is moved.
    Rename,
    /// It stays where it is; what is taken is a copy, and a note of that.
    Copy(Box<Ledger>),
}

impl Claims {
    pub(crate) fn open(places: Places, daemon_id: &str) -> io::Result<Self> {
        let dir = places.spool_dir.join("claimed").join(daemon_id);
        Ok(Self {
            how: open_dir(&dir, &places)?,
            dir,
            places,
            of_jobs: HashMap::new(),
            is_recovered: false,
            total: 0,
        })
    }

    /// Begins anew in the folder that is there now.
    pub(crate) fn reopen(&mut self) -> io::Result<()> {
        self.how = open_dir(&self.dir, &self.places)?;
        self.of_jobs.clear();
        self.is_recovered = false;
        Ok(())
    }

    /// Whether this file, which is still in the folder, was taken.
    pub(crate) fn has(&mut self, name: &OsStr, state: &FileState) -> bool {
        let ClaimMethod::Copy(ledger) = &mut self.how else {
            return false;
        };
        let path = self.places.jobs.join(name);
        ledger.has(state, || {
            Some(Content::of(&path, dropped::form(name)?).ok()?.sha256())
        })
    }

    /// Takes a file, known as `known_as` from now on. `None`: somebody else has, or it was withdrawn or written to.
    /// Durable after [`Self::sync`].
    pub(crate) fn take(&mut self, file: &Settled, known_as: &OsStr) -> io::Result<Option<Claim>> {
        let from = self.places.jobs.join(&file.name);
        let known_as = shorten(known_as);
        let taken = match &mut self.how {
            ClaimMethod::Copy(ledger) => copy(ledger, &from, &self.dir, (file, known_as)),
            ClaimMethod::Rename => rename(&from, &self.dir, known_as),
        }?;
        self.total += u64::from(taken.is_some());
        Ok(taken)
    }

    /// Makes every claim so far durable.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        sync_dir(&self.dir)?;
        match &mut self.how {
            ClaimMethod::Rename => sync_dir(&self.places.jobs),
            ClaimMethod::Copy(ledger) => ledger.sync(),
        }
    }

    /// What was claimed before and has not been gone through since the folder was opened, the oldest first.
    pub(crate) fn recover(&mut self) -> io::Result<Vec<Claim>> {
        if self.is_recovered {
            return Ok(Vec::new());
        }
        let claims = list(&self.dir)?;
        self.is_recovered = true;
        Ok(claims)
    }

    pub(crate) fn is_recovered(&self) -> bool {
        self.is_recovered
    }

    /// Keeps the claim of a job in the queue until that has ended.
    pub(crate) fn keep(&mut self, claim: Claim) {
        self.of_jobs.insert(claim.id.clone(), claim);
    }

    /// The claim of a job in the queue.
    pub(crate) fn kept(&self, id: &str) -> Option<&Claim> {
        self.of_jobs.get(id)
    }

    /// Lets go of a claim whose file was filed.
    pub(crate) fn release(&mut self, id: &str) {
        self.of_jobs.remove(id);
    }

    /// Claims of jobs in the queue.
    pub(crate) fn kept_count(&self) -> usize {
        self.of_jobs.len()
    }

    /// Files claimed since the daemon started.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }
}

/// Makes the folder of claims, unless it is there.
fn open_dir(dir: &Path, places: &Places) -> io::Result<ClaimMethod> {
    DirBuilder::new().recursive(true).mode(0o770).create(dir)?;
    if places.access() == Access::Writable {
        return Ok(ClaimMethod::Rename);
    }
    let claimed = list(dir)?.into_iter().map(|claim| claim.id);
    let ledger = Ledger::open(places.spool_dir.join("taken"), claimed)?;
    Ok(ClaimMethod::Copy(Box::new(ledger)))
}

fn copy(
    ledger: &mut Ledger,
    from: &Path,
    dir: &Path,
    (file, known_as): (&Settled, OsString),
) -> io::Result<Option<Claim>> {
    let Some(form) = dropped::form(&file.name) else {
        return Ok(None);
    };
    let content = Content::of(from, form)?;
    if matches!(&content, Content::Text(job) if !job.state.is_same_content(&file.state)) {
        return Ok(None);
    }
    let Some(id) = ledger.id_for(&file.state, &content.sha256()) else {
        return Ok(None);
    };
    let claim = Claim::new(dir, id, known_as);
    let is_same = content.copy(from, form, &claim.path)?;
    if is_same {
        ledger.note(&file.state, &claim.id);
    }
    Ok(is_same.then_some(claim))
}

fn rename(from: &Path, dir: &Path, known_as: OsString) -> io::Result<Option<Claim>> {
    let claim = Claim::new(dir, random_id()?, known_as);
    match rename_new(from, &claim.path) {
        Ok(()) => Ok(Some(claim)),
        Err(Errno::ENOENT) if dir.is_dir() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Every file claimed by this daemon, the oldest first.
fn list(dir: &Path) -> io::Result<Vec<Claim>> {
    let mut claims = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let Some(claim) = Claim::of(dir, &entry.file_name()) else {
            continue;
        };
        let metadata = entry.metadata()?;
        claims.push(((metadata.ctime(), metadata.ctime_nsec()), claim));
    }
    claims.sort_by_key(|(changed, _)| *changed);
    Ok(claims.into_iter().map(|(_, claim)| claim).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};

    use super::*;

    fn open(jobs: &Path, daemon_id: &str) -> Claims {
        let places = Places::new(jobs.to_owned(), None);
        Claims::open(places, daemon_id).unwrap()
    }

    /// Takes a file as it is.
    fn take(claims: &mut Claims, name: &OsStr) -> io::Result<Option<Claim>> {
        let metadata = claims.places.jobs.join(name).symlink_metadata();
        // What is not there any more was seen before.
        let metadata = metadata.or_else(|_| claims.places.jobs.metadata())?;
        let settled = Settled {
            name: name.to_owned(),
            state: (&metadata).into(),
        };
        claims.take(&settled, name)
    }

    #[test]
    fn rule_06_a_claim_moves_the_file_and_is_found_again() {
        let jobs = tempfile::tempdir().unwrap();
        let mut claims = open(jobs.path(), "d1");
        let name = OsString::from_vec(b"-\xff\n.yaml".to_vec());
        fs::write(jobs.path().join(&name), "a: 1\n").unwrap();

        let claim = take(&mut claims, &name).unwrap().unwrap();
        assert!(!jobs.path().join(&name).exists());
        assert_eq!(claim.name, name);
        assert_eq!(list(&claims.dir).unwrap(), [claim]);
        assert_eq!(take(&mut claims, &name).unwrap(), None, "withdrawn");
        assert!(
            list(&open(jobs.path(), "d2").dir).unwrap().is_empty(),
            "another daemon's"
        );
    }

    #[test]
    fn rule_06_a_missing_folder_of_claims_is_no_lost_race() {
        let jobs = tempfile::tempdir().unwrap();
        let mut claims = open(jobs.path(), "d1");
        fs::write(jobs.path().join("a.yaml"), "").unwrap();
        fs::remove_dir_all(jobs.path().join("claimed")).unwrap();
        let name = OsStr::new("a.yaml");
        assert!(take(&mut claims, name).is_err());
    }

    #[test]
    fn rule_13_the_longest_name_is_shortened_and_keeps_its_suffix() {
        let jobs = tempfile::tempdir().unwrap();
        let mut claims = open(jobs.path(), "d1");
        let name = OsString::from(format!("{}.yaml", "x".repeat(250)));
        fs::write(jobs.path().join(&name), "").unwrap();
        let claim = take(&mut claims, &name).unwrap().unwrap();
        assert!(claim.name.as_bytes().ends_with(b"x.yaml"));
        assert!(claim.path.exists());
    }

    #[test]
    fn rule_16_a_claim_in_a_folder_that_is_only_read_is_a_copy() {
        let (jobs, spool_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let places = Places::new(jobs.path().to_owned(), Some(spool_dir.path().to_owned()));
        let (path, name) = (jobs.path().join("a.yaml"), OsStr::new("a.yaml"));
        fs::write(&path, "a: 1\n").unwrap();
        let mut claims = Claims::open(places.clone(), "d1").unwrap();
        let claim = take(&mut claims, name).unwrap().unwrap();
        assert_eq!(fs::read_to_string(&claim.path).unwrap(), "a: 1\n");
        assert_eq!(list(&claims.dir).unwrap(), [claim]);
        // The daemon is killed before the list is written: the claim itself says that the file was taken.
        let mut claims = Claims::open(places.clone(), "d1").unwrap();
        assert_eq!(take(&mut claims, name).unwrap(), None);
        claims.sync().unwrap();
        let mut claims = Claims::open(places.clone(), "d2").unwrap();
        assert!(claims.has(name, &(&path.metadata().unwrap()).into()));
        assert_eq!(fs::read_dir(jobs.path()).unwrap().count(), 1);
    }
}
