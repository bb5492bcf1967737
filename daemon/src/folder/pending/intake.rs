//! From a job file's text to a job that can be queued: the one way in, for the folder and the socket.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use framepack_bundle::Bundle;
use framepack_config::Dedupe;
use framepack_jobs::{
    BundleDefaults, Failure, FileError, JobSpec, Settings, Source, Surroundings, ValidSpec,
    Validated, long_prompts,
    picture::{Alpha, Header},
};

use crate::{
    disk::{Copies, ImageLook, Images, InputCopy, InputError},
    folder::dropped::{NoJob, RETRY, Rejection, Wait},
    lacking::DeviceLacks,
    queue::Submission,
    record::random_id,
    running::RunningConfig,
    start_error::StartError,
};

/// A job as it comes in.
#[derive(Debug)]
pub(crate) struct Offer<'a> {
    pub(crate) text: &'a str,
    /// What was set beside it, as `steps=32`.
    pub(crate) set: &'a [String],
    /// Name of the job when the file gives none.
    pub(crate) stem: &'a str,
    /// Folder that the paths in the text are relative to.
    pub(crate) folder: &'a Path,
    pub(crate) source: Source,
    /// Id of the claimed file, if it came through the folder.
    pub(crate) claim: Option<String>,
}

/// What the bundle's `framepack.json` says, if there is one. One that can't be read now, or that was not downloaded to
/// its end, says nothing: jobs wait for it.
pub(crate) fn bundle_defaults(bundle: &Path) -> Result<BundleDefaults, StartError> {
    let file = bundle.join(BundleDefaults::FILE);
    match framepack_yaml::read_if_present(&file, BundleDefaults::parse) {
        Ok(defaults) => {
            let defaults = defaults.unwrap_or_default();
            let usual = || Bundle::open(bundle).ok()?.usual_step_cache();
            Ok(BundleDefaults {
                step_cache: defaults.step_cache.or_else(usual),
                ..defaults
            })
        }
        Err(FileError::Unreadable { .. }) => Ok(BundleDefaults::default()),
        Err(_) if framepack_bundle::stand_in(&file).is_some() => Ok(BundleDefaults::default()),
        Err(error) => Err(StartError::Bundle(error)),
    }
}

/// What offers are checked against.
#[derive(Debug, Clone)]
pub(crate) struct Intake {
    pub(crate) images: Images,
    /// What the model bundle prefers.
    pub(crate) bundle: BundleDefaults,
    /// It has what the farm says for jobs that do not say.
    pub(crate) running: RunningConfig,
    /// What its devices can't do.
    pub(crate) lacks: DeviceLacks,
}

impl Intake {
    /// Checks an offer and copies its image, durably.
    pub(crate) async fn accept(&self, offer: Offer<'_>) -> Result<Submission, Refusal> {
        let job = self.read(&offer)?;
        let image = self
            .images
            .look(offer.folder, &job.spec.start.image)
            .await?;
        let mut copies = Copies::default();
        let submission = self.submission(offer, job, &image, &mut copies).await?;
        self.images
            .sync()
            .inspect_err(|_| Images::remove(&submission.input))?;
        Ok(submission)
    }

    /// Checks the text of an offer.
    pub(crate) fn read(&self, offer: &Offer<'_>) -> Result<Validated, Rejection> {
        let farm = self.running.now().config.farm.clone();
        let surroundings = Surroundings {
            file_stem: offer.stem.to_owned(),
            bundle_latent_window: self.bundle.latent_window,
            farm: farm.on(self.lacks.of_all()),
        };
        JobSpec::parse_with(offer.text, offer.set)
            .and_then(|spec| spec.validate(&surroundings))
            .map_err(|problems| problems.located_in(offer.text).into())
    }

    /// Makes a submission of a checked offer and its image. The copy is durable after [`Images::sync`].
    pub(crate) async fn submission(
        &self,
        offer: Offer<'_>,
        job: Validated,
        image: &ImageLook,
        copies: &mut Copies,
    ) -> Result<Submission, InputError> {
        let copy = self.images.copy(image, copies).await?;
        Ok(submission(offer, job, copy, draw()))
    }

    /// The same of an offer whose image nobody will look at: it can't be queued.
    pub(crate) fn without_image(&self, offer: Offer<'_>) -> Result<Submission, Rejection> {
        let job = self.read(&offer)?;
        Ok(made(offer, job, String::new(), draw()))
    }
}

/// A submission with this copy of its image; `drawn`: what `seed: random` draws.
pub(super) fn submission(
    offer: Offer<'_>,
    job: Validated,
    copy: InputCopy,
    drawn: u32,
) -> Submission {
    let may_warn = may_warn(&job.spec, &job.farm_defaults, &copy.header);
    Submission {
        input: copy.path,
        may_warn,
        ..made(offer, job, copy.sha256, drawn)
    }
}

/// A submission whose image has this hash, and is still to be copied.
fn made(offer: Offer<'_>, job: Validated, input_sha256: String, drawn: u32) -> Submission {
    let key = job.key_for(&input_sha256, drawn);
    Submission {
        seed: job.spec.seed.resolve(&key, || drawn),
        image: offer.folder.join(&job.spec.start.image),
        name: job.name,
        key,
        source: offer.source,
        claim: offer.claim,
        spec: job.spec,
        farm_defaults: job.farm_defaults,
        origins: job.origins,
        schedule: job.schedule,
        input: PathBuf::new(),
        input_sha256,
        may_warn: false,
        warnings: job.warnings,
        dedupe: Dedupe::Skip,
    }
}

/// Whether prompts may be longer than they are read, or the image may be transparent or has more frames.
fn may_warn(spec: &ValidSpec, farm_defaults: &Settings, image: &Header) -> bool {
    let spec = spec.clone().with(farm_defaults);
    let long = long_prompts(&spec.prompt, &spec.negative_prompt, &spec.guidance);
    !long.is_empty() || image.alpha != Alpha::None || image.has_more
}

/// Why an offer is not accepted by somebody who does not wait.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It never can be, as it is.
    Rejected(Rejection),
    /// It is no fault of the job's: it may be offered again.
    NotNow(Failure),
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<InputError> for Refusal {
    fn from(error: InputError) -> Self {
        let is_passing = error.is_passing() || matches!(error, InputError::Copy { .. });
        let failure = error.into_failure("start.image");
        if is_passing {
            Self::NotNow(failure)
        } else {
            Self::Rejected(failure.into())
        }
    }
}

impl From<InputError> for NoJob {
    fn from(error: InputError) -> Self {
        if error.is_passing() {
            let (why, until) = (error.to_string(), Instant::now() + RETRY);
            return Wait { why, until }.into();
        }
        let is_ours = matches!(error, InputError::Copy { .. });
        let failure = error.into_failure("start.image");
        if is_ours {
            Self::Ours(failure)
        } else {
            failure.into()
        }
    }
}

/// 32 random bits.
pub(super) fn draw() -> u32 {
    let id = random_id().expect("/proc is mounted: the daemon's own id was drawn from it at start");
    u32::from_str_radix(&id[..8], 16).expect("an id has 16 hexadecimal digits")
}
