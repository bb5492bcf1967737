//! What a claimed file can become: a job, if what it says and the image that it names are as they must be.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use framepack_config::Dedupe;
use framepack_jobs::{Source, Timestamp};
use tokio::runtime;

use super::{
    file::PendingFile,
    images::Images,
    intake::{Intake, Offer},
};
use crate::{
    disk::{self, Copies, ImageLook, InputError},
    folder::{
        dropped::{self, Answer, Wait},
        notice::Notice,
    },
    queue::Submission,
};

/// What claimed files are looked at with.
#[derive(Debug)]
pub(super) struct Inspector {
    pub(super) intake: Intake,
    /// How long a job waits for its image.
    pub(super) wait_inputs: Duration,
    pub(super) dedupe: Dedupe,
    /// Where archives are unpacked.
    pub(super) bundles: PathBuf,
    /// Where the disks' answers come from.
    pub(super) runtime: runtime::Handle,
}

/// Files that are looked at together.
#[derive(Debug)]
pub(super) struct Batch<'a> {
    pub(super) inspector: &'a Inspector,
    pub(super) notice: &'a Notice,
    pub(super) images: &'a mut Images,
    pub(super) copies: Copies,
}

/// Where the paths of a job file lead.
struct BasePaths {
    /// The folder that they are relative to.
    folder: PathBuf,
    /// The bundle as it was dropped, if it is one.
    bundle: Option<PathBuf>,
}

impl Batch<'_> {
    /// The jobs that a claimed file is now.
    pub(super) fn jobs_in(&mut self, file: &mut PendingFile) -> Answer<Vec<Submission>> {
        self.notice.beat();
        let submission = self.job_in(file)?;
        self.notice.beat();
        // Once more, now that all is read: whoever still has the file open may have gone on.
        if let Err(error) = file.read() {
            disk::Images::remove(&submission.input);
            return Err(error.into());
        }
        Ok(vec![submission])
    }

    fn job_in(&mut self, file: &mut PendingFile) -> Answer<Submission> {
        let inspector = self.inspector;
        file.open(&inspector.bundles)?;
        let text = file.read()?.to_owned();
        let base_paths = BasePaths::of(file, self.notice.path());
        let name = file.claim().name.clone();
        let (stem, _) = dropped::split_suffix(&name);
        let offer = Offer {
            text: &text,
            set: &[],
            stem: &stem.to_string_lossy(),
            folder: &base_paths.folder,
            source: Source::Folder {
                file: name.to_string_lossy().into_owned().into(),
            },
            claim: Some(file.claim().id.clone()),
        };
        let job = inspector.intake.read(&offer)?;
        let wanted = job.spec.start.image.clone();
        let image = self.image(file, &base_paths, &wanted)?;
        let submission = inspector
            .intake
            .submission(offer, job, &image, &mut self.copies);
        let submission = inspector.runtime.block_on(submission)?;
        Ok(Submission {
            dedupe: inspector.dedupe,
            image: base_paths.shown(&image, &wanted),
            ..submission
        })
    }

    /// The image, once it is there and complete. A bundle is whole, or it is none: nothing of it is waited for.
    fn image(
        &mut self,
        file: &mut PendingFile,
        base_paths: &BasePaths,
        wanted: &Path,
    ) -> Answer<ImageLook> {
        let Inspector {
            intake, runtime, ..
        } = self.inspector;
        if base_paths.bundle.is_some() {
            let images = intake.images.also_in(&base_paths.folder);
            return match runtime.block_on(images.look(&base_paths.folder, wanted)) {
                Err(InputError::Missing { .. }) if let Some(bundle) = file.bundle() => {
                    Err(bundle.without(wanted).into())
                }
                Err(error) => Err(base_paths.named(error).into()),
                Ok(image) => Ok(image),
            };
        }
        match runtime.block_on(intake.images.look(&base_paths.folder, wanted)) {
            Ok(image) => {
                file.awaits(&image.path);
                self.images.look(&image, self.notice.moment())?;
                Ok(image)
            }
            Err(InputError::Missing { path }) if file.waited() < self.inspector.wait_inputs => {
                let left = self.inspector.wait_inputs.saturating_sub(file.waited());
                let why = format!("{} does not exist; {}", path.display(), rejected_in(left));
                let until = Instant::now() + self.notice.rules().settle.min(left);
                Err(Wait { why, until }.into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl BasePaths {
    fn of(file: &PendingFile, jobs: &Path) -> Self {
        match file.bundle() {
            None => Self {
                folder: jobs.to_owned(),
                bundle: None,
            },
            Some(bundle) => Self {
                folder: bundle.folder.clone(),
                bundle: Some(jobs.join(&file.claim().name)),
            },
        }
    }

    /// The same, about the file where people find it.
    fn named(&self, mut error: InputError) -> InputError {
        if let Some(path) = error.path_mut()
            && let Some(bundle) = &self.bundle
            && let Ok(name) = path.strip_prefix(&self.folder)
        {
            *path = bundle.join(name);
        }
        error
    }

    /// Where people find the image. What was unpacked is gone soon: they look for it in what they dropped.
    fn shown(&self, image: &ImageLook, wanted: &Path) -> PathBuf {
        match (&self.bundle, image.path.strip_prefix(&self.folder)) {
            (Some(bundle), Ok(image)) => bundle.join(image),
            _ => self.folder.join(wanted),
        }
    }
}

/// When a file that still waits is rejected, for people: to the second, and the same at each look.
fn rejected_in(left: Duration) -> String {
    let at = Timestamp::from(SystemTime::now() + left);
    format!("the job will be rejected at {}Z", &at.to_string()[..19])
}
