//! A section that is not finished: what its solver knows between two steps, for the run that makes the next step.
//!
//! It is kept when a run is suspended, and from time to time, so that a run that is killed loses seconds and not minutes.

use std::{
    fs, io,
    path::PathBuf,
    time::{Duration, Instant},
};

use framepack_jobs::SectionSteps;
use serde::{Deserialize, Serialize};
use tch::{Device, Tensor};

use super::provenance::Provenance;
use crate::{
    error::Error,
    file,
    sampler::SolverState,
    sealed::{Tensors, seal, unseal},
};

/// Raised when the file gets another form or meaning.
const FORMAT: u32 = 1;
/// x at the latest noise level.
const LATENTS: &str = "latents";
/// The noise levels of the predictions, the latest first; they are called 0, 1, …
const SIGMAS: &str = "sigmas";

/// Steps that took no longer are not worth a file …
const WORTH: Duration = Duration::from_secs(2);
/// … nor are those that took no more than so many times as long as their file.
const COST: u32 = 20;

/// When the state of a section is kept.
#[derive(Debug)]
pub(crate) struct Keeping {
    kept_at: Instant,
    took: Duration,
}

impl Keeping {
    /// Nothing has to be kept yet.
    pub(crate) fn begun() -> Self {
        Self {
            kept_at: Instant::now(),
            took: Duration::ZERO,
        }
    }

    /// Whether what was made since is worth a file.
    pub(crate) fn is_due(&self) -> bool {
        self.kept_at.elapsed() >= WORTH.max(self.took.saturating_mul(COST))
    }

    /// Notes how long `keep` takes.
    pub(crate) fn keep<T>(&mut self, keep: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let began = Instant::now();
        let kept = keep();
        self.took = began.elapsed();
        self.kept_at = Instant::now();
        kept
    }
}

/// Where a section is kept that is not finished.
#[derive(Debug)]
pub(crate) struct UnfinishedSection {
    pub(super) path: PathBuf,
    pub(super) origin: Origin,
}

/// Which section, and what it grows on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    /// What tells the job and its models from others.
    pub(super) job: String,
    /// Counted from 1.
    pub(super) section: u32,
    /// Checksum of the checkpoint before.
    pub(super) after: Option<String>,
}

/// What the file says that it is.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    format: u32,
    origin: Origin,
    provenance: Provenance,
    /// Which of its steps were computed; versions that had no step caches computed all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeline: Option<SectionSteps>,
}

/// What was kept of a section.
#[derive(Debug)]
pub(crate) struct KeptSteps {
    /// The solver's state between two steps.
    pub(crate) state: SolverState,
    /// Which of the steps so far were computed; `None` without a step cache.
    pub(crate) timeline: Option<SectionSteps>,
}

/// Noise levels and predictions, the latest first.
type Past = Vec<(f32, Tensor)>;

impl UnfinishedSection {
    /// Keeps the solver's state. Once this returns it outlives the process and the machine's power.
    pub(crate) fn save(&self, kept: &KeptSteps, provenance: &Provenance) -> Result<(), Error> {
        let (latents, past) = kept.state.parts();
        let (sigmas, predictions): (Vec<f32>, Vec<&Tensor>) = past.unzip();
        let on_host = |tensor: &Tensor| tensor.to_device(Device::Cpu).contiguous();
        let numbered = predictions.into_iter().enumerate();
        let mut tensors: Tensors = numbered
            .map(|(number, prediction)| (number.to_string(), on_host(prediction)))
            .collect();
        tensors.insert(LATENTS.into(), on_host(latents));
        tensors.insert(SIGMAS.into(), Tensor::from_slice(&sigmas));
        let header = Header {
            format: FORMAT,
            origin: self.origin.clone(),
            provenance: provenance.clone(),
            timeline: kept.timeline,
        };
        let what = serde_json::to_string(&header).expect("plain data with string keys");
        let written = seal(&what, &tensors)
            .map_err(io::Error::other)
            .and_then(|(bytes, _)| file::write(&self.path, &bytes));
        written.map_err(|source| Error::Io {
            path: self.path.clone(),
            doing: "writing",
            source,
        })
    }

    /// How the steps were made that are kept, of this very section.
    pub(crate) fn provenance(&self) -> Option<Provenance> {
        let file = unseal(&fs::read(&self.path).ok()?).ok()?;
        let header: Header = serde_json::from_str(&file.what).ok()?;
        (header.format == FORMAT && header.origin == self.origin).then_some(header.provenance)
    }

    /// The state of this very section, if the next step would be made as the last one was; on `device`.
    pub(crate) fn find(&self, provenance: &Provenance, device: Device) -> Option<KeptSteps> {
        let bytes = fs::read(&self.path).ok()?;
        match self.read(&bytes, provenance) {
            Ok((timeline, latents, past)) => {
                let past = past.into_iter();
                let past = past.map(|(sigma, prediction)| (sigma, prediction.to_device(device)));
                let state = SolverState::of(latents.to_device(device), past)?;
                Some(KeptSteps { state, timeline })
            }
            Err(reason) => {
                tracing::warn!(path = %self.path.display(), reason, "a section is begun again");
                None
            }
        }
    }

    fn read(
        &self,
        bytes: &[u8],
        provenance: &Provenance,
    ) -> Result<(Option<SectionSteps>, Tensor, Past), String> {
        let mut file = unseal(bytes)?;
        let header: Header = serde_json::from_str(&file.what)
            .map_err(|_| "it was written by another version".to_owned())?;
        if header.format != FORMAT || header.origin != self.origin {
            return Err("it is of another section".into());
        }
        if !header.provenance.samples_like(provenance) {
            let difference = header.provenance.difference(provenance);
            return Err(difference.unwrap_or_else(|| "it was made otherwise".into()));
        }
        let mut take = |name: &str| file.tensors.remove(name).ok_or(format!("it has no {name}"));
        let latents = take(LATENTS)?;
        let sigmas =
            Vec::<f32>::try_from(take(SIGMAS)?).map_err(|e: tch::TchError| e.to_string())?;
        let past = sigmas.into_iter().enumerate();
        let past = past.map(|(number, sigma)| Ok((sigma, take(&number.to_string())?)));
        Ok((
            header.timeline,
            latents,
            past.collect::<Result<_, String>>()?,
        ))
    }
}
