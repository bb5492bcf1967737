//! From another text for a job that is there to what the job is then: checked as at its submission.

use std::path::Path;

use framepack_config::Dedupe;
use framepack_jobs::SeedSpec;

use super::intake::{Intake, Offer, Refusal, draw, submission};
use crate::{
    disk::{Copies, Images},
    queue::Submission,
    record::Record,
};

/// Another text for a job.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Revision<'a> {
    pub(crate) text: &'a str,
    /// What is set beside it, as `steps=32`.
    pub(crate) set: &'a [String],
    /// The job as it is.
    pub(crate) record: &'a Record,
    /// Folder that paths in the text are relative to.
    pub(crate) folder: &'a Path,
}

impl Intake {
    /// What the job is with that text. Its image is copied, durably, where the text names another one.
    pub(crate) async fn revise(&self, revision: Revision<'_>) -> Result<Submission, Refusal> {
        let Record { job, private } = revision.record;
        let offer = Offer {
            text: revision.text,
            set: revision.set,
            stem: &job.name,
            folder: revision.folder,
            source: job.source.clone(),
            claim: private.claim.clone(),
        };
        let mut new = self.read(&offer)?.as_change_of(job);
        let drawn = match (job.drawn(), new.spec.seed) {
            // It was drawn once, when the job was accepted.
            (Some(drawn), SeedSpec::Random) => drawn,
            _ => draw(),
        };
        if new.spec.start != job.spec.start {
            let wanted = &new.spec.start.image;
            let image = self.images.look(offer.folder, wanted).await?;
            let copy = self.images.copy(&image, &mut Copies::default()).await?;
            self.images
                .sync()
                .inspect_err(|_| Images::remove(&copy.path))?;
            return Ok(submission(offer, new, copy, drawn));
        }
        let is_same = new.name == job.name && new.spec == job.spec;
        if is_same && new.key.is_none() && !job.has_own_key(&private.input_sha256) {
            // What keys are made of may have been otherwise when it was accepted.
            new.key = Some(job.key.clone());
        }
        let key = new.key_for(&private.input_sha256, drawn);
        Ok(Submission {
            seed: new.spec.seed.resolve(&key, || drawn),
            image: job.image.clone(),
            name: new.name,
            key,
            source: offer.source,
            claim: offer.claim,
            may_warn: true,
            spec: new.spec,
            farm_defaults: new.farm_defaults,
            origins: new.origins,
            schedule: new.schedule,
            input: private.input.clone(),
            input_sha256: private.input_sha256.clone(),
            warnings: new.warnings,
            dedupe: Dedupe::Skip,
        })
    }
}
