//! What a claimed file can become: a job, if what it says and the picture that it names are as they must be.

use std::time::{Duration, Instant, SystemTime};

use framepack_jobs::{Failure, Source, Timestamp};

use super::{
    Spool,
    held::Held,
    lease,
    look::Look,
    name,
    settle::{Candidate, Content, Verdict},
};
use crate::{
    inputs::{self, Copies, InputError, OpenInput},
    intake::{Offer, Refusal, Rejection},
    queue::Submission,
};

/// What a claimed file is found to be.
pub(super) enum Found {
    Job(Box<Submission>),
    Refused(Rejection),
    /// It can become one later.
    NotYet {
        after: Duration,
        why: String,
    },
    /// What failed is ours, and would fail for others, too.
    NotNow(Failure),
}

impl Spool {
    /// What a claimed file can become now.
    pub(super) fn look_into(&mut self, held: &mut Held, copies: &mut Copies) -> Found {
        let found = self.job_in(held, copies);
        // Once more, now that all is read: whoever still has the file open may have gone on.
        match (found, held.read()) {
            (Found::Job(submission), Err(error)) => {
                inputs::remove(&submission.input);
                Found::Refused(error.into_failure().into())
            }
            (found, _) => found,
        }
    }

    fn job_in(&mut self, held: &mut Held, copies: &mut Copies) -> Found {
        let (stem, _) = name::split_suffix(&held.claim.name);
        let stem = stem.to_string_lossy().into_owned();
        let source = Source::Folder {
            file: held.claim.name.to_string_lossy().into_owned().into(),
        };
        if let Err(error) = self.open_bundle(held) {
            return error;
        }
        let (claim, waited) = (held.claim.id.clone(), held.since.elapsed());
        let folder = match &held.bundle {
            Some(bundle) => bundle.folder.clone(),
            None => self.folder.path().to_owned(),
        };
        let is_bundle = held.bundle.is_some();
        let dropped = self.folder.path().join(&held.claim.name);
        let text = match held.read() {
            Ok(job) => &job.text,
            Err(error) => return Found::Refused(error.into_failure().into()),
        };
        let offer = Offer {
            text,
            stem: &stem,
            folder: &folder,
            source,
            claim: Some(claim),
        };
        let job = match self.intake.read(&offer) {
            Ok(job) => job,
            Err(rejection) => return Found::Refused(rejection),
        };
        let mut inputs = self.intake.inputs.clone();
        if is_bundle {
            inputs = inputs.also_in(&folder);
        }
        let rules = self.folder.rules();
        let input = match inputs.open(offer.folder, &job.spec.start.image) {
            Ok(input) => input,
            // A bundle is whole, or it is none.
            Err(InputError::Missing { path })
                if !is_bundle && waited < self.settings.wait_inputs =>
            {
                let left = self.settings.wait_inputs.saturating_sub(waited);
                let why = format!("{} does not exist; {}", path.display(), rejected_in(left));
                let after = rules.settle.min(left);
                return Found::NotYet { after, why };
            }
            Err(error) => return Found::Refused(error.into_failure("start.image").into()),
        };
        if !is_bundle && let Some(why) = self.unsettled_picture(&input) {
            held.picture = Some(input.path().as_os_str().to_owned());
            let after = rules.settle;
            return Found::NotYet { after, why };
        }
        // What was unpacked is gone soon: people look for the picture in what they dropped.
        let image = match input.path().strip_prefix(&folder) {
            Ok(image) if is_bundle => dropped.join(image),
            _ => folder.join(&job.spec.start.image),
        };
        match self.intake.submission(offer, job, &input, copies) {
            Ok(submission) => Found::Job(Box::new(Submission {
                dedupe: self.settings.dedupe,
                image,
                ..submission
            })),
            Err(Refusal::NotNow(failure)) => Found::NotNow(failure),
            Err(Refusal::Rejected(rejection)) => Found::Refused(rejection),
        }
    }

    /// Opens what is a bundle; what it is found to be when that fails.
    fn open_bundle(&self, held: &mut Held) -> Result<(), Found> {
        held.open(&self.bundles).map_err(|error| {
            let is_ours = error.is_ours();
            let failure = error.into_failure();
            if is_ours {
                Found::NotNow(failure)
            } else {
                Found::Refused(failure.into())
            }
        })
    }

    /// Why a picture is not complete yet.
    fn unsettled_picture(&mut self, input: &OpenInput) -> Option<String> {
        let path = input.path();
        let look = Look::new(path.as_os_str(), input.metadata(), self.folder.clock());
        match self.pictures.verdict(&look, Instant::now(), input) {
            Verdict::Waiting(why) => Some(format!("{}: {why}", path.display())),
            Verdict::Settled => None,
        }
    }
}

impl Candidate for OpenInput {
    /// A picture is decoded by the worker: here it is only waited for until nobody writes to it.
    fn content(&self) -> Content {
        Content::Complete
    }

    fn is_open(&self) -> bool {
        lease::is_open_for_writing(self.file()) == Some(true)
    }
}

/// When a file that still waits is rejected, for people: to the second, and the same at each look.
fn rejected_in(left: Duration) -> String {
    let at = Timestamp::from(SystemTime::now() + left);
    format!("the job is rejected at {}Z", &at.to_string()[..19])
}
