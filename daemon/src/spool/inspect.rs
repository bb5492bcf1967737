//! What a claimed file can become: a job, if what it says and the image that it names are as they must be.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use framepack_jobs::{Failure, Source, Timestamp};

use super::{
    Spool,
    file_state::FileState,
    held::Held,
    name,
    read::ReadError,
    settle::{Candidate, Completeness, Readiness},
};
use crate::{
    disk::{self, Copies, InputError, OpenInput},
    file,
    intake::{Offer, Refusal, Rejection},
    queue::Submission,
};

/// What a claimed file is found to be.
pub(super) enum Inspected {
    Job(Box<Submission>),
    Refused(Rejection),
    /// It can become one later.
    NotYet {
        after: Duration,
        why: String,
    },
    /// The daemon itself failed, and would fail for other files, too.
    NotNow(Failure),
}

impl From<Rejection> for Inspected {
    fn from(rejection: Rejection) -> Self {
        Self::Refused(rejection)
    }
}

impl From<Failure> for Inspected {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure.into())
    }
}

impl From<Refusal> for Inspected {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotNow(failure) => Self::NotNow(failure),
            Refusal::Rejected(rejection) => Self::Refused(rejection),
        }
    }
}

/// Where the paths of a job file lead.
struct BasePaths {
    /// The folder that they are relative to.
    folder: PathBuf,
    /// The bundle as it was dropped, if it is one.
    bundle: Option<PathBuf>,
}

impl Spool {
    /// What a claimed file can become now.
    pub(super) fn look_into(&mut self, held: &mut Held, copies: &mut Copies) -> Inspected {
        let submission = match self.job_in(held, copies) {
            Ok(submission) => submission,
            Err(found) => return found,
        };
        // Once more, now that all is read: whoever still has the file open may have gone on.
        if let Err(error) = held.read() {
            disk::remove(&submission.input);
            return error.into_failure().into();
        }
        Inspected::Job(submission)
    }

    fn job_in(
        &mut self,
        held: &mut Held,
        copies: &mut Copies,
    ) -> Result<Box<Submission>, Inspected> {
        self.open_bundle(held)?;
        let text = held.read().map_err(ReadError::into_failure)?.text.clone();
        let base_paths = self.base_paths(held);
        let name = held.claim.name.clone();
        let (stem, _) = name::split_suffix(&name);
        let offer = Offer {
            text: &text,
            stem: &stem.to_string_lossy(),
            folder: &base_paths.folder,
            source: Source::Folder {
                file: name.to_string_lossy().into_owned().into(),
            },
            claim: Some(held.claim.id.clone()),
        };
        let job = self.intake.read(&offer)?;
        let input = self.image(held, &base_paths, &job.spec.start.image)?;
        let image = base_paths.shown(&input, &job.spec.start.image);
        let submission = self.intake.submission(offer, job, &input, copies)?;
        Ok(Box::new(Submission {
            dedupe: self.settings.dedupe,
            image,
            ..submission
        }))
    }

    fn base_paths(&self, held: &Held) -> BasePaths {
        let jobs = self.folder.path();
        match &held.bundle {
            None => BasePaths {
                folder: jobs.to_owned(),
                bundle: None,
            },
            Some(bundle) => BasePaths {
                folder: bundle.folder.clone(),
                bundle: Some(jobs.join(&held.claim.name)),
            },
        }
    }

    /// The image, once it is there and complete. A bundle is whole, or it is none: nothing of it is waited for.
    fn image(
        &mut self,
        held: &mut Held,
        base_paths: &BasePaths,
        wanted: &Path,
    ) -> Result<OpenInput, Inspected> {
        if base_paths.bundle.is_some() {
            let inputs = self.intake.inputs.clone().also_in(&base_paths.folder);
            let input = inputs.open(&base_paths.folder, wanted);
            return input.map_err(|error| error.into_failure("start.image").into());
        }
        let (waited, settle) = (held.since.elapsed(), self.folder.rules().settle);
        let input = match self.intake.inputs.open(&base_paths.folder, wanted) {
            Ok(input) => input,
            Err(InputError::Missing { path }) if waited < self.settings.wait_inputs => {
                let left = self.settings.wait_inputs.saturating_sub(waited);
                let why = format!("{} does not exist; {}", path.display(), rejected_in(left));
                let after = settle.min(left);
                return Err(Inspected::NotYet { after, why });
            }
            Err(error) => return Err(error.into_failure("start.image").into()),
        };
        if let Some(why) = self.unsettled_image(&input) {
            held.image = Some(input.path().as_os_str().to_owned());
            return Err(Inspected::NotYet { after: settle, why });
        }
        Ok(input)
    }

    /// Opens what is a bundle; what it is found to be when that fails.
    fn open_bundle(&self, held: &mut Held) -> Result<(), Inspected> {
        held.open(&self.bundles).map_err(|error| {
            let is_ours = error.is_ours();
            let failure = error.into_failure();
            if is_ours {
                Inspected::NotNow(failure)
            } else {
                Inspected::Refused(failure.into())
            }
        })
    }

    /// Why an image is not complete yet.
    fn unsettled_image(&mut self, input: &OpenInput) -> Option<String> {
        let path = input.path();
        let state = FileState::new(path.as_os_str(), input.metadata(), self.folder.clock());
        match self.images.readiness(&state, Instant::now(), input) {
            Readiness::Waiting(why) => Some(format!("{}: {why}", path.display())),
            Readiness::Settled => None,
        }
    }
}

impl BasePaths {
    /// Where people find the image. What was unpacked is gone soon: they look for it in what they dropped.
    fn shown(&self, input: &OpenInput, wanted: &Path) -> PathBuf {
        match (&self.bundle, input.path().strip_prefix(&self.folder)) {
            (Some(bundle), Ok(image)) => bundle.join(image),
            _ => self.folder.join(wanted),
        }
    }
}

impl Candidate for OpenInput {
    /// An image is decoded by the worker: here it is only waited for until nobody writes to it.
    fn completeness(&self) -> Completeness {
        Completeness::Complete
    }

    fn is_open(&self) -> bool {
        file::is_open_for_writing(self.file()) == Some(true)
    }
}

/// When a file that still waits is rejected, for people: to the second, and the same at each look.
fn rejected_in(left: Duration) -> String {
    let at = Timestamp::from(SystemTime::now() + left);
    format!("the job will be rejected at {}Z", &at.to_string()[..19])
}
