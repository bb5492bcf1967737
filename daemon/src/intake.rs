//! From a job file's text to a job that can be queued: the one way in, for the folder and the socket.

use std::path::Path;

use framepack_config::BundleDefaults;
use framepack_jobs::{
    Failure, FailureClass, JobSpec, Problem, ProblemKind, Problems, Source, Surroundings,
};

use crate::{
    inputs::{InputError, Inputs},
    queue::Submission,
    spool::random_id,
};

/// A job as it comes in.
#[derive(Debug)]
pub(crate) struct Offer<'a> {
    pub(crate) text: &'a str,
    /// Name of the job when the file gives none.
    pub(crate) stem: &'a str,
    /// Folder that the paths in the text are relative to.
    pub(crate) folder: &'a Path,
    pub(crate) source: Source,
    /// Id of the claimed file, if it came through the folder.
    pub(crate) claim: Option<String>,
}

/// Why an offer was not accepted.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It never can be, as it is.
    Rejected(Rejection),
    /// It is no fault of the job's: it may be offered again.
    NotNow(Failure),
}

/// What is wrong with a job file.
#[derive(Debug)]
pub(crate) struct Rejection {
    pub(crate) failure: Failure,
    /// Each mistake in the file, when it is the file that is wrong.
    pub(crate) problems: Vec<Problem>,
}

impl From<Failure> for Rejection {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            problems: Vec::new(),
        }
    }
}

impl From<Problems> for Rejection {
    fn from(problems: Problems) -> Self {
        let problems: Vec<Problem> = problems.iter().cloned().collect();
        let kind = problems
            .first()
            .map_or(ProblemKind::Syntax, |problem| problem.kind);
        let class = match kind {
            ProblemKind::PathEscape => FailureClass::Policy,
            _ => FailureClass::Input,
        };
        let messages: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let hints: Vec<&str> = problems
            .iter()
            .filter_map(|problem| problem.hint.as_deref())
            .collect();
        Self {
            failure: Failure {
                class,
                code: kind.code().to_owned(),
                message: messages.join("\n"),
                hint: (!hints.is_empty()).then(|| hints.join("\n")),
            },
            problems,
        }
    }
}

/// What offers are checked against.
#[derive(Debug, Clone)]
pub(crate) struct Intake {
    pub(crate) inputs: Inputs,
    /// What the model bundle prefers.
    pub(crate) bundle: BundleDefaults,
}

impl Intake {
    /// Checks an offer and copies its image. Blocks on the file system.
    pub(crate) fn accept(&self, offer: Offer<'_>) -> Result<Submission, Refusal> {
        let surroundings = Surroundings {
            file_stem: offer.stem.to_owned(),
            bundle_latent_window: self.bundle.latent_window,
        };
        let job = JobSpec::parse(offer.text)
            .and_then(|spec| spec.validate(&surroundings))
            .map_err(|problems| Refusal::Rejected(problems.located_in(offer.text).into()))?;
        let wanted = &job.spec.start.image;
        let input = self
            .inputs
            .copy(offer.folder, wanted)
            .map_err(|error| refusal(error, "start.image"))?;
        let drawn = draw();
        let key = job.key_for(&input.sha256, drawn);
        Ok(Submission {
            seed: job.spec.seed.resolve(&key, || drawn),
            image: offer.folder.join(wanted),
            name: job.name,
            key,
            source: offer.source,
            claim: offer.claim,
            spec: job.spec,
            input: input.path,
            warnings: job.warnings,
        })
    }
}

fn refusal(error: InputError, key: &str) -> Refusal {
    let ours = matches!(error, InputError::Copy { .. });
    let failure = error.into_failure(key);
    if ours {
        Refusal::NotNow(failure)
    } else {
        Refusal::Rejected(failure.into())
    }
}

/// 32 random bits.
fn draw() -> u32 {
    let id = random_id().expect("/proc is mounted: the daemon's own id was drawn from it at start");
    u32::from_str_radix(&id[..8], 16).expect("an id has 16 hexadecimal digits")
}
