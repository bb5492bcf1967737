//! What one device keeps from job to job: its models, and what was encoded.

use framepack_ipc::worker::{MemoryPlan, Precaution};
use tch::Device;

use super::encode::{Embeddings, Encoding};
use crate::{
    checkpoint::{Checkpoints, Provenance, RunSettings},
    condition::{Conditions, EncoderFiles, cache::EmbeddingCache, conditioning},
    error::Error,
    job::Job,
    ladder::Ladder,
    models::Models,
    options::ModelOptions,
    plan::Planner,
    progress::ProgressReporter,
    sampler::needs_negative,
    weights::Fingerprint,
};

/// Models and embeddings of one device, and what plans its memory.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) device: Device,
    planner: Planner,
    pub(super) models: Models,
    pub(super) embeddings: Embeddings,
}

impl Kept {
    /// Nothing yet.
    pub(super) fn new(device: Device, options: ModelOptions) -> Self {
        Self {
            device,
            planner: Planner::new(device, options),
            models: Models::new(device, options),
            embeddings: Embeddings::new(device, EmbeddingCache::in_memory()),
        }
    }

    /// What plans jobs beside what is kept.
    pub(super) fn planner(&self) -> Planner {
        self.planner.beside(self.models.host_bytes())
    }

    /// Plans the job's memory as its rung of the ladder allows, and puts the models there from now on.
    pub(super) fn place(&mut self, job: &Job, ladder: &Ladder) -> Result<MemoryPlan, Error> {
        let planner = self.planner().with(ladder.relief(), job.precaution);
        let (plan, placement) = planner.plan_job(job)?;
        self.models.place(placement);
        Ok(plan)
    }

    /// The job's checkpoints, which are of no use once its models have changed.
    pub(super) fn checkpoints(&self, job: &Job, files: EncoderFiles) -> Result<Checkpoints, Error> {
        let transformer = Fingerprint::of_folders([job.transformer.as_path()])?;
        let models = files.fingerprints().into_iter().chain([transformer]);
        Ok(Checkpoints::of(job, models, self.models.synthesised()))
    }

    /// What decides the bits of what is made now.
    pub(super) fn provenance(&self, job: &Job, ladder: &Ladder) -> Provenance {
        let settled = RunSettings {
            dtype: self.models.transformer_kind(),
            vae_dtype: self.models.vae_kind(),
            attention: match job.precaution {
                Precaution::None => "torch's choice",
                Precaution::Numerics => "not torch's choice",
            },
            rung: ladder.rung(),
            tiling: self.models.tiling(),
        };
        Provenance::now(self.device, self.embeddings.build, settled)
    }

    /// The prompt and the start image, encoded now or by an earlier job.
    pub(super) fn condition(
        &mut self,
        job: &Job,
        files: EncoderFiles,
        progress: &mut ProgressReporter<'_>,
    ) -> Result<Conditions, Error> {
        let _no_grad = tch::no_grad_guard();
        let mut encoding = Encoding {
            job,
            files,
            embeddings: &mut self.embeddings,
            models: &mut self.models,
            progress,
        };
        let prompt = encoding.prompt(&job.prompt)?;
        let negative_prompt = if needs_negative(&job.sampling.guidance) {
            Some(encoding.prompt(&job.negative_prompt)?)
        } else {
            None
        };
        let image = encoding.image_states()?;
        let start_latent = encoding.start_latent()?;

        let options = (self.models.transformer_kind(), self.device);
        Ok(Conditions {
            start_latent,
            positive: conditioning(&prompt, &image, options),
            negative: negative_prompt.map(|prompt| conditioning(&prompt, &image, options)),
        })
    }
}
