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
    pub(crate) fn take(&self, name: &OsStr, known_as: &OsStr) -> io::Result<Option<Claim>> {
        let claim = self.claim(random_id()?, shorten(known_as));
        let from = self.jobs.join(name);
        match renameat2(
            AT_FDCWD,
            &from,
            AT_FDCWD,
            &claim.path,
            RenameFlags::RENAME_NOREPLACE,
        ) {
            Ok(()) => {}
            Err(Errno::ENOENT) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        sync_dir(&self.dir)?;
        sync_dir(&self.jobs)?;
        Ok(Some(claim))
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

    /// The file of this claim, if it has not been put away.
    pub(crate) fn find(&self, id: &str) -> io::Result<Option<Claim>> {
        Ok(self.list()?.into_iter().find(|claim| claim.id == id))
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
    fn a_claim_moves_the_file_and_is_found_again() {
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

    #[test]
    fn of_many_claimants_one_wins() {
        let jobs = tempfile::tempdir().unwrap();
        for i in 0..50 {
            fs::write(jobs.path().join(format!("{i}.yaml")), "").unwrap();
        }
        let taken: usize = std::thread::scope(|scope| {
            let daemons: Vec<_> = (0..4)
                .map(|daemon| {
                    let claims = Claims::open(jobs.path(), &format!("d{daemon}")).unwrap();
                    scope.spawn(move || {
                        let take = |i: &i32| {
                            let name = format!("{i}.yaml");
                            let name = OsStr::new(&name);
                            claims.take(name, name).unwrap().is_some()
                        };
                        (0..50).filter(take).count()
                    })
                })
                .collect();
            daemons
                .into_iter()
                .map(|daemon| daemon.join().unwrap())
                .sum()
        });
        assert_eq!(taken, 50);
    }

    #[test]
    fn the_longest_name_is_shortened_and_keeps_its_suffix() {
        let jobs = tempfile::tempdir().unwrap();
        let claims = Claims::open(jobs.path(), "d1").unwrap();
        let name = OsString::from(format!("{}.yaml", "x".repeat(250)));
        fs::write(jobs.path().join(&name), "").unwrap();
        let claim = claims.take(&name, &name).unwrap().unwrap();
        assert!(claim.name.as_bytes().ends_with(b"x.yaml"));
        assert!(claim.path.exists());
    }
}
