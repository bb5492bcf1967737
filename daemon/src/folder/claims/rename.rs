//! Moving a file so that of several who try exactly one succeeds, on every file system.

use std::{fs, io, os::unix::fs::MetadataExt, path::Path};

use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, RenameFlags, renameat2},
};

/// Moves a file to a name that is free. Of several who try, one succeeds.
pub(super) fn rename_new(from: &Path, to: &Path) -> Result<(), Errno> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
