//! Taking a job file: one atomic rename into `claimed/<daemon-id>/`, so that of several daemons exactly one has it.
//!
//! A claim keeps its file until the job has ended; what lies there at start belongs to this daemon and is recovered.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, DirBuilder, File},
    io,
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::{DirBuilderExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, RenameFlags, renameat2},
};

use super::name;

/// Longest file name on Linux file systems.
const NAME_MAX_BYTES: usize = 255;
/// Room left in a claimed name for what the archive adds to it: `.<job>.report.json`.
const ARCHIVE_ROOM_BYTES: usize = 40;

/// The folder of this daemon's claims.
#[derive(Debug, Clone)]
pub(crate) struct Claims {
    jobs: PathBuf,
    dir: PathBuf,
}

/// A claimed file, named `<claim-id>.<original name>`. The claim id is random and never used twice,
/// so a record in the store that names it can mean no other file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Random, 16 hexadecimal digits.
    pub(crate) id: String,
    /// Name under which the file was dropped; the stem is cut if it was close to the limit of the file system.
    pub(crate) name: OsString,
    /// Where the file is now.
    pub(crate) path: PathBuf,
}

impl Claims {
    pub(crate) fn open(jobs: &Path, daemon_id: &str) -> io::Result<Self> {
        let dir = jobs.join("claimed").join(daemon_id);
        DirBuilder::new().recursive(true).mode(0o770).create(&dir)?;
        Ok(Self {
            jobs: jobs.to_owned(),
            dir,
        })
    }

    /// Takes the file `name`, known as `known_as` from now on. `None`: somebody else has, or it was withdrawn.
    /// Durable after [`Self::sync`].
    pub(crate) fn take(&self, name: &OsStr, known_as: &OsStr) -> io::Result<Option<Claim>> {
        let claim = self.claim(random_id()?, shorten(known_as));
        let from = self.jobs.join(name);
        match rename_new(&from, &claim.path) {
            Ok(()) => Ok(Some(claim)),
            Err(Errno::ENOENT) if self.dir.is_dir() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes every claim so far durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        sync_dir(&self.dir)?;
        sync_dir(&self.jobs)
    }

    /// Every file claimed by this daemon, the oldest first.
    pub(crate) fn list(&self) -> io::Result<Vec<Claim>> {
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
                self.claim(id, name),
            ));
        }
        claims.sort_by_key(|(changed, _)| *changed);
        Ok(claims.into_iter().map(|(_, claim)| claim).collect())
    }

    fn claim(&self, id: String, name: OsString) -> Claim {
        let mut file_name = OsString::from(&id);
        file_name.push(".");
        file_name.push(&name);
        Claim {
            path: self.dir.join(file_name),
            id,
            name,
        }
    }
}

/// Moves a file to a name that is free. Of several who try, one succeeds.
fn rename_new(from: &Path, to: &Path) -> Result<(), Errno> {
    match renameat2(AT_FDCWD, from, AT_FDCWD, to, RenameFlags::RENAME_NOREPLACE) {
        // NFS, and what else does not know the flag.
        Err(Errno::EINVAL | Errno::ENOSYS | Errno::EOPNOTSUPP) => link_and_unlink(from, to),
        renamed => renamed,
    }
}

/// The same as Maildir does it: everybody may make the second name, one can remove the first.
fn link_and_unlink(from: &Path, to: &Path) -> Result<(), Errno> {
    match fs::hard_link(from, to) {
        Ok(()) => {}
        // No links here (SMB, FAT). The new name is random, so nothing is replaced.
        Err(error)
            if matches!(
                errno(&error),
                Errno::EPERM | Errno::EOPNOTSUPP | Errno::ENOSYS
            ) =>
        {
            return fs::rename(from, to).map_err(|error| errno(&error));
        }
        Err(error) => return Err(errno(&error)),
    }
    let Err(error) = fs::remove_file(from) else {
        return Ok(());
    };
    // A server may carry out a repeated request twice and answer that the name is gone: with no other name
    // left, it was we who removed it.
    let is_ours = to.metadata().is_ok_and(|metadata| metadata.nlink() == 1);
    if errno(&error) == Errno::ENOENT && is_ours {
        return Ok(());
    }
    // Another name stays with whoever won.
    let _ = fs::remove_file(to);
    Err(errno(&error))
}

fn errno(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or_default())
}

/// Makes the entries of a folder durable.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// 64 random bits in hexadecimal, from the kernel.
pub(crate) fn random_id() -> io::Result<String> {
    let uuid = fs::read_to_string("/proc/sys/kernel/random/uuid")?;
    // The first eight and the last eight of the 32 digits: a version-4 UUID has its fixed bits between them.
    let digits: String = uuid.trim().chars().filter(|c| *c != '-').collect();
    Ok(format!("{}{}", &digits[..8], &digits[24..]))
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

    #[test]
    fn rule_06_a_claim_moves_the_file_and_is_found_again() {
        let jobs = tempfile::tempdir().unwrap();
        let claims = Claims::open(jobs.path(), "d1").unwrap();
        let name = OsString::from_vec(b"-\xff\n.yaml".to_vec());
        fs::write(jobs.path().join(&name), "a: 1\n").unwrap();

        let claim = claims.take(&name, &name).unwrap().unwrap();
        assert!(!jobs.path().join(&name).exists());
        assert_eq!(claim.name, name);
        assert_eq!(claims.list().unwrap(), [claim]);
        assert_eq!(claims.take(&name, &name).unwrap(), None, "withdrawn");
        assert!(
            Claims::open(jobs.path(), "d2")
                .unwrap()
                .list()
                .unwrap()
                .is_empty(),
            "another daemon's"
        );
    }

    /// How many of 50 files four claimants get, who all want each.
    fn race(claim: fn(&Path, &Path) -> Result<(), Errno>) -> usize {
        let jobs = tempfile::tempdir().unwrap();
        for i in 0..50 {
            fs::write(jobs.path().join(format!("{i}.yaml")), "").unwrap();
        }
        let claimant = |n: usize| {
            let jobs = jobs.path();
            let take = move |i: &i32| {
                claim(
                    &jobs.join(format!("{i}.yaml")),
                    &jobs.join(format!("{n}.{i}")),
                )
                .is_ok()
            };
            move || (0..50).filter(take).count()
        };
        let taken = std::thread::scope(|scope| {
            let claimants: Vec<_> = (0..4).map(|n| scope.spawn(claimant(n))).collect();
            claimants
                .into_iter()
                .map(|claimant| claimant.join().unwrap())
                .sum()
        });
        assert_eq!(
            fs::read_dir(jobs.path()).unwrap().count(),
            50,
            "none is lost, and none is there twice"
        );
        taken
    }

    #[test]
    fn rule_06_of_many_claimants_one_wins() {
        assert_eq!(race(rename_new), 50);
    }

    #[test]
    fn rule_06_where_the_rename_is_refused_a_link_claims_for_one() {
        assert_eq!(race(link_and_unlink), 50);
    }

    #[test]
    fn rule_06_a_missing_folder_of_claims_is_no_lost_race() {
        let jobs = tempfile::tempdir().unwrap();
        let claims = Claims::open(jobs.path(), "d1").unwrap();
        fs::write(jobs.path().join("a.yaml"), "").unwrap();
        fs::remove_dir_all(jobs.path().join("claimed")).unwrap();
        let name = OsStr::new("a.yaml");
        assert!(claims.take(name, name).is_err());
    }

    #[test]
    fn rule_13_the_longest_name_is_shortened_and_keeps_its_suffix() {
        let jobs = tempfile::tempdir().unwrap();
        let claims = Claims::open(jobs.path(), "d1").unwrap();
        let name = OsString::from(format!("{}.yaml", "x".repeat(250)));
        fs::write(jobs.path().join(&name), "").unwrap();
        let claim = claims.take(&name, &name).unwrap().unwrap();
        assert!(claim.name.as_bytes().ends_with(b"x.yaml"));
        assert!(claim.path.exists());
    }
}
