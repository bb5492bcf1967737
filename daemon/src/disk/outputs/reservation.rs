//! Reservations of videos' names: several daemons may write into one folder.
//!
//! Before a job begins, its daemon makes `.NAME.mp4.promised` beside the video, which says the daemon's id and the job's
//! number (`promise`). A daemon that finds another one's uses another name. The reservation ends when the job has ended,
//! or when its daemon finds it after a crash.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use framepack_jobs::JobId;

use super::promise::{self, Marked};
use crate::file::sync_dir;

const SUFFIX: &str = ".promised";

/// What a daemon writes into its reservations.
#[derive(Debug, Clone)]
pub(crate) struct Owner(String);

/// Whether a name may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reservation {
    Given,
    /// A video has it, or another daemon.
    Taken,
}

/// What is at the end of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Video {
    /// Its video.
    Made,
    /// Nothing: it failed, or was cancelled.
    None,
}

impl Owner {
    pub(crate) fn new(daemon_id: &str) -> Self {
        Self(daemon_id.to_owned())
    }

    fn mark(&self, job: JobId) -> String {
        format!("{}:{job}", self.0)
    }

    /// Reserves the name of a job's video; what an earlier run of the job reserved is its own.
    pub(crate) fn reserve(&self, output: &Path, job: JobId) -> io::Result<Reservation> {
        let (path, mark) = (path(output), self.mark(job));
        match promise::make(&path, &mark)? {
            Marked::Exists if promise::owner(&path).as_ref() == Some(&mark) => {
                Ok(Reservation::Given)
            }
            Marked::Exists => Ok(Reservation::Taken),
            // Nobody else makes this video from now on; it may have been made before.
            Marked::Made if output.exists() => {
                fs::remove_file(&path)?;
                Ok(Reservation::Taken)
            }
            Marked::Made => {
                sync_dir(output.parent().unwrap_or(output))?;
                Ok(Reservation::Given)
            }
        }
    }

    /// The job has ended: its name is its video's, or free. What an earlier run wrote of a job that has no video goes:
    /// nobody else may have made it while the name was reserved.
    pub(crate) fn release(&self, output: &Path, job: JobId, video: Video) {
        let path = path(output);
        if promise::owner(&path).is_some_and(|mark| mark == self.mark(job)) {
            if video == Video::None && output.exists() {
                remove(
                    output,
                    "removing the video of a job that was not to have one",
                );
            }
            remove(&path, "removing the reservation of a name");
        }
    }

    /// Releases this daemon's reservations in a folder. `over`: what is at the end of a job; `None`: it is not over.
    pub(crate) fn sweep(&self, folder: &Path, over: impl Fn(JobId) -> Option<Video>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if !name.as_encoded_bytes().ends_with(SUFFIX.as_bytes()) {
                continue;
            }
            let mark = promise::owner(&entry.path()).unwrap_or_default();
            let own = mark.strip_prefix(&self.0);
            let job = own.and_then(|rest| rest.strip_prefix(':')?.parse().ok());
            let over = job.and_then(|id| Some((JobId(id), over(JobId(id))?)));
            if let (Some((job, video)), Some(output)) = (over, output_of(&entry.path())) {
                self.release(&output, job, video);
            }
        }
    }
}

fn remove(path: &Path, doing: &'static str) {
    if let Err(error) = fs::remove_file(path) {
        tracing::warn!(path = %path.display(), %error, "{doing}");
    }
}

/// The video that a reservation is for.
fn output_of(reservation: &Path) -> Option<PathBuf> {
    let name = reservation.file_name()?.as_bytes();
    let name = name.strip_prefix(b".")?.strip_suffix(SUFFIX.as_bytes())?;
    Some(reservation.with_file_name(OsStr::from_bytes(name)))
}

/// Whether the name is reserved by any daemon.
pub(crate) fn exists(output: &Path) -> bool {
    path(output).symlink_metadata().is_ok()
}

fn path(output: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(output.file_name().unwrap_or_default());
    name.push(SUFFIX);
    output.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_reserved_for_one_job_of_one_daemon() {
        let dir = tempfile::tempdir().unwrap();
        let output = dir.path().join("cat.mp4");
        let (one, other) = (Owner::new("one"), Owner::new("other"));
        let ask = |owner: &Owner, id| owner.reserve(&output, JobId(id)).unwrap();
        assert_eq!(ask(&one, 1), Reservation::Given);
        assert_eq!(ask(&one, 1), Reservation::Given, "another run of it");
        assert_eq!(ask(&one, 2), Reservation::Taken);
        assert_eq!(ask(&other, 1), Reservation::Taken);
        other.release(&output, JobId(1), Video::None);
        assert_eq!(ask(&other, 1), Reservation::Taken);
        fs::write(&output, "a video").unwrap();
        assert_eq!(
            ask(&one, 1),
            Reservation::Given,
            "an earlier run of it wrote that"
        );
        one.release(&output, JobId(1), Video::Made);
        assert_eq!(ask(&one, 1), Reservation::Taken, "there is a video");
        assert!(!exists(&output));
    }

    #[test]
    fn reservations_of_jobs_that_are_over_are_swept() {
        let dir = tempfile::tempdir().unwrap();
        let (one, other) = (Owner::new("one"), Owner::new("other"));
        let output = |n: u64| dir.path().join(format!("{n}.mp4"));
        for n in 1..=2 {
            one.reserve(&output(n), JobId(n)).unwrap();
        }
        other.reserve(&output(3), JobId(1)).unwrap();
        fs::write(
            output(1),
            "of a run that the daemon did not live to hear of",
        )
        .unwrap();
        one.sweep(dir.path(), |job| (job == JobId(1)).then_some(Video::Made));
        assert_eq!([1, 2, 3].map(|n| exists(&output(n))), [false, true, true]);
        assert!(output(1).exists());
    }

    #[test]
    fn what_a_job_without_a_video_wrote_goes_with_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let (one, other) = (Owner::new("one"), Owner::new("other"));
        let output = dir.path().join("cat.mp4");
        one.reserve(&output, JobId(1)).unwrap();
        fs::write(&output, "of a run that the daemon did not live to hear of").unwrap();
        other.release(&output, JobId(1), Video::None);
        assert!(output.exists() && exists(&output), "it is another daemon's");
        one.release(&output, JobId(1), Video::None);
        assert!(!output.exists() && !exists(&output));

        fs::write(&output, "somebody else's").unwrap();
        one.release(&output, JobId(1), Video::None);
        assert!(output.exists(), "its name is not reserved");
        fs::remove_file(&output).unwrap();
        one.reserve(&output, JobId(1)).unwrap();
        fs::write(&output, "again").unwrap();
        one.sweep(dir.path(), |_| Some(Video::None));
        assert!(!output.exists() && !exists(&output));
    }
}
