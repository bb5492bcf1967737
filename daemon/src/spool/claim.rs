//! Taking a job file: one atomic rename into `claimed/<daemon-id>/`, so that of several daemons exactly one has it;
//! or, out of a folder that is only read, a copy there and a note in the list of what was taken.
//!
//! A claim keeps its file until the job has ended; what lies there at start belongs to this daemon and is recovered.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, DirBuilder, Metadata},
    io,
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::{DirBuilderExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

use nix::errno::Errno;

use super::{
    content::Content,
    ledger::Ledger,
    name,
    places::{Access, Places},
    rename::rename_new,
    scan::Settled,
};
use crate::{file::sync_dir, record::random_id};

/// Longest file name on Linux file systems.
const NAME_MAX_BYTES: usize = 255;
/// Room left in a claimed name for what the archive adds to it: `.<job>.report.json`.
const ARCHIVE_ROOM_BYTES: usize = 40;

/// The folder of this daemon's claims.
#[derive(Debug)]
pub(super) struct Claims {
    jobs: PathBuf,
    dir: PathBuf,
    how: ClaimMethod,
}

/// How a file is taken.
#[derive(Debug)]
enum ClaimMethod {
    /// It is moved.
    Rename,
    /// It stays where it is; what is taken is a copy, and a note of that.
    Copy(Box<Ledger>),
}

/// A claimed file, named `<claim-id>.<original name>`. The claim id is random and never used twice,
/// so a record in the store that names it can mean no other file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    /// Random, 16 hexadecimal digits.
    pub(super) id: String,
    /// Name under which the file was dropped; the stem is cut if it was close to the limit of the file system.
    pub(super) name: OsString,
    /// Where the file is now.
    pub(super) path: PathBuf,
}

impl Claims {
    pub(super) fn open(places: &Places, daemon_id: &str) -> io::Result<Self> {
        let dir = places.spool_dir.join("claimed").join(daemon_id);
        DirBuilder::new().recursive(true).mode(0o770).create(&dir)?;
        let mut claims = Self {
            jobs: places.jobs.clone(),
            dir,
            how: ClaimMethod::Rename,
        };
        if places.access() == Access::ReadOnly {
            let claimed = claims.list()?.into_iter().map(|claim| claim.id);
            let ledger = Ledger::open(places.spool_dir.join("taken"), claimed)?;
            claims.how = ClaimMethod::Copy(Box::new(ledger));
        }
        Ok(claims)
    }

    /// Whether this file, which is still in the folder, was taken.
    pub(super) fn has(&mut self, name: &OsStr, metadata: &Metadata) -> bool {
        let ClaimMethod::Copy(ledger) = &mut self.how else {
            return false;
        };
        let path = self.jobs.join(name);
        ledger.has(&metadata.into(), || {
            Some(Content::of(&path, name::form(name)?).ok()?.sha256())
        })
    }

    /// Takes a file, known as `known_as` from now on. `None`: somebody else has, or it was withdrawn or written to.
    /// Durable after [`Self::sync`].
    pub(super) fn take(&mut self, file: &Settled, known_as: &OsStr) -> io::Result<Option<Claim>> {
        let (from, known_as) = (self.jobs.join(&file.name), shorten(known_as));
        let ledger = match &mut self.how {
            ClaimMethod::Copy(ledger) => ledger,
            ClaimMethod::Rename => return self.rename(&from, known_as),
        };
        let Some(form) = name::form(&file.name) else {
            return Ok(None);
        };
        let content = Content::of(&from, form)?;
        if matches!(&content, Content::Text(job) if !job.is_of(file.written)) {
            return Ok(None);
        }
        let Some(id) = ledger.id_for(&file.fingerprint, &content.sha256()) else {
            return Ok(None);
        };
        let claim = claim_in(&self.dir, id, known_as);
        let is_same = content.copy(&from, form, &claim.path)?;
        if is_same {
            ledger.note(&file.fingerprint, &claim.id);
        }
        Ok(is_same.then_some(claim))
    }

    fn rename(&self, from: &Path, known_as: OsString) -> io::Result<Option<Claim>> {
        let claim = claim_in(&self.dir, random_id()?, known_as);
        match rename_new(from, &claim.path) {
            Ok(()) => Ok(Some(claim)),
            Err(Errno::ENOENT) if self.dir.is_dir() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes every claim so far durable.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        sync_dir(&self.dir)?;
        match &mut self.how {
            ClaimMethod::Rename => sync_dir(&self.jobs),
            ClaimMethod::Copy(ledger) => ledger.sync(),
        }
    }

    /// Every file claimed by this daemon, the oldest first.
    pub(super) fn list(&self) -> io::Result<Vec<Claim>> {
        let mut claims = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            let file_name = entry.file_name();
            let Some((id, name)) = split_claimed(&file_name) else {
                continue;
            };
            let metadata = entry.metadata()?;
            claims.push((
                (metadata.ctime(), metadata.ctime_nsec()),
                claim_in(&self.dir, id, name),
            ));
        }
        claims.sort_by_key(|(changed, _)| *changed);
        Ok(claims.into_iter().map(|(_, claim)| claim).collect())
    }
}

fn claim_in(dir: &Path, id: String, name: OsString) -> Claim {
    let mut file_name = OsString::from(&id);
    file_name.push(".");
    file_name.push(&name);
    Claim {
        path: dir.join(file_name),
        id,
        name,
    }
}

/// Cuts the stem of a name that would not fit with the claim's and the archive's additions.
fn shorten(name: &OsStr) -> OsString {
    let room = NAME_MAX_BYTES - ARCHIVE_ROOM_BYTES;
    if name.len() <= room {
        return name.to_owned();
    }
    let (stem, suffix) = name::split_suffix(name);
    let mut short = stem.as_bytes()[..room - suffix.len()].to_vec();
    short.extend_from_slice(suffix.as_bytes());
    OsString::from_vec(short)
}

fn split_claimed(file_name: &OsStr) -> Option<(String, OsString)> {
    let dot = file_name.as_bytes().iter().position(|byte| *byte == b'.')?;
    let (id, name) = file_name.as_bytes().split_at(dot);
    let id = str::from_utf8(id).ok()?;
    (id.len() == 16).then(|| (id.to_owned(), OsStr::from_bytes(&name[1..]).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(jobs: &Path, daemon_id: &str) -> Claims {
        let places = Places::new(jobs.to_owned(), None);
        Claims::open(&places, daemon_id).unwrap()
    }

    /// Takes a file as it is.
    fn take(claims: &mut Claims, name: &OsStr) -> io::Result<Option<Claim>> {
        let metadata = claims.jobs.join(name).symlink_metadata();
        // What is not there any more was seen before.
        let metadata = metadata.or_else(|_| claims.jobs.metadata())?;
        claims.take(&Settled::new(name.to_owned(), &metadata), name)
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
        assert_eq!(claims.list().unwrap(), [claim]);
        assert_eq!(take(&mut claims, &name).unwrap(), None, "withdrawn");
        assert!(
            open(jobs.path(), "d2").list().unwrap().is_empty(),
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
        let mut claims = Claims::open(&places, "d1").unwrap();
        let claim = take(&mut claims, name).unwrap().unwrap();
        assert_eq!(fs::read_to_string(&claim.path).unwrap(), "a: 1\n");
        assert_eq!(claims.list().unwrap(), [claim]);
        // The daemon is killed before the list is written: the claim itself says that the file was taken.
        let mut claims = Claims::open(&places, "d1").unwrap();
        assert_eq!(take(&mut claims, name).unwrap(), None);
        claims.sync().unwrap();
        let mut claims = Claims::open(&places, "d2").unwrap();
        assert!(claims.has(name, &path.metadata().unwrap()));
        assert_eq!(fs::read_dir(jobs.path()).unwrap().count(), 1);
    }
}
