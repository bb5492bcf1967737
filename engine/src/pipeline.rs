//! One job from request to video.

mod generate;

use std::path::Path;

use framepack_ipc::worker::{
    DeviceIdle, MemoryPlan, Precaution, RenderOutput, RenderRequest, Temperature,
};
use sha2::{Digest, Sha256};
use tch::{Device, Kind, Tensor};

use self::generate::Generation;
pub(crate) use self::generate::Video;
use crate::{
    checkpoint::{Checkpoints, Provenance, RunSettings},
    condition::{
        Conditions,
        cache::EmbeddingCache,
        conditioning,
        encode::{Embeddings, EncoderFiles, Encoding},
    },
    device::{self, OtherKernels},
    error::Error,
    job::Job,
    ladder::Ladder,
    memory::planner::Planner,
    models::Models,
    options::ModelOptions,
    output::{self, Written},
    progress::{Listener, ProgressReporter},
    sampler::needs_negative,
    video::VideoError,
    weights::Fingerprint,
};

/// What a precaution is in a report.
const CAREFUL: &str = "the last attempt produced NaN: in this one the VAE computed in f32, and attention avoided torch's preferred kernels";

/// Renders jobs on one device, one after the other, keeping the models warm.
#[derive(Debug)]
pub struct Pipeline {
    device: Device,
    planner: Planner,
    models: Models,
    embeddings: Embeddings,
}

impl Pipeline {
    /// A pipeline without models yet.
    pub fn new(device: Device, options: ModelOptions) -> Self {
        Self {
            device,
            planner: Planner::new(device, options),
            models: Models::new(device, options),
            embeddings: Embeddings::new(device, EmbeddingCache::in_memory()),
        }
    }

    /// Keeps embeddings in `embeddings/` of a state directory too, from where the next process has them. No
    /// other process may use the same device with that directory.
    #[must_use]
    pub fn with_state_dir(mut self, state_dir: &Path) -> Self {
        let folder = state_dir.join("embeddings");
        let cache = EmbeddingCache::on_disk(&folder, &device::label(self.device));
        self.embeddings.cache = cache;
        self
    }

    /// What plans jobs for this pipeline's device; also while it renders.
    pub fn planner(&self) -> Planner {
        self.planner.beside(self.models.host_bytes())
    }

    /// Gives up models and their memory.
    pub fn cool(&mut self, temperature: Temperature) {
        match temperature {
            Temperature::Hot => {}
            Temperature::Warm => self.models.leave_device(),
            Temperature::Cold => self.models.clear(),
        }
    }

    /// Renders one job. When it fails, no output is left.
    pub fn render(
        &mut self,
        request: &RenderRequest,
        listener: &mut Listener<'_>,
    ) -> Result<RenderOutput, Error> {
        let outcome = device::catch(|| self.run(request, ProgressReporter::new(listener)));
        if let Err(Error::OutOfMemory { .. } | Error::Torch { .. } | Error::Internal { .. }) =
            outcome
        {
            self.models.clear();
        }
        outcome
    }

    fn run(
        &mut self,
        request: &RenderRequest,
        mut progress: ProgressReporter<'_>,
    ) -> Result<RenderOutput, Error> {
        device::reset_peak(self.device);
        let mut job = Job::resolve(request)?;
        let is_careful = job.precaution == Precaution::Numerics;
        let _other_kernels = is_careful.then(OtherKernels::new);
        job.warnings.extend(is_careful.then(|| CAREFUL.into()));
        let ladder = Ladder::at(request.rung);
        let memory_plan = self.place(&job, &ladder)?;
        progress.started(&job.plan)?;

        let files = EncoderFiles::of(&job.bundle)?;
        self.models.select(&job.bundle, files);
        let mut checkpoints = self.checkpoints(&job, files)?;
        let mut found = checkpoints.find(job.plan.sections as usize);
        job.warnings.extend(found.warning.take());
        let resumed = found.resumed(&self.provenance(&job, &ladder));
        progress.sections_done(found.sections.len() as u32);
        let conditions = if found.sections.len() < job.plan.sections as usize {
            Some(self.condition(&job, files, &mut progress)?)
        } else {
            None // decoding is all that is left to do
        };
        let generation = Generation {
            pipeline: self,
            job: &job,
            conditions: conditions.as_ref(),
            progress: &mut progress,
            ladder,
            checkpoints: &mut checkpoints,
        };
        let (video, ladder) = generation.run(&found)?;
        let written = output::write(&job, &video, &mut progress).inspect_err(|error| {
            if matches!(error, Error::Video(VideoError::Black { .. })) {
                checkpoints.remove(); // these latents would be as black the next time
            }
        })?;
        job.warnings.extend(written.warning.clone());
        let report = self.report(job, &video, written, progress);
        Ok(RenderOutput {
            memory_plan: Some(Box::new(memory_plan)),
            resumed,
            rungs: ladder.into_taken(),
            ..report
        })
    }

    /// Plans the job's memory as its rung of the ladder allows, and puts the models there from now on.
    fn place(&mut self, job: &Job, ladder: &Ladder) -> Result<MemoryPlan, Error> {
        let planner = self.planner().with(ladder.relief(), job.precaution);
        let (plan, placement) = planner.plan_job(job)?;
        self.models.place(placement);
        Ok(plan)
    }

    /// The job's checkpoints, which are of no use once its models have changed.
    fn checkpoints(&self, job: &Job, files: EncoderFiles) -> Result<Checkpoints, Error> {
        let transformer = Fingerprint::of_folders([job.transformer.as_path()])?;
        let models = files.fingerprints().into_iter().chain([transformer]);
        Ok(Checkpoints::of(job, models, self.models.synthesised()))
    }

    /// What decides the bits of what is made now.
    fn provenance(&self, job: &Job, ladder: &Ladder) -> Provenance {
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

    fn report(
        &self,
        job: Job,
        video: &Video,
        written: Written,
        progress: ProgressReporter<'_>,
    ) -> RenderOutput {
        RenderOutput {
            video: job.output.video,
            contact_sheet: written.contact_sheet,
            plan: job.plan,
            video_bytes: written.summary.bytes,
            latents_sha256: sha256(&video.latents),
            warnings: job
                .warnings
                .into_iter()
                .chain(self.models.warnings())
                .collect(),
            phases: progress.into_phases(),
            device: device::label(self.device),
            dtype: kind_label(self.models.transformer_kind()).into(),
            // As planned: with what torch holds beside its tensors.
            peak_device_bytes: device::allocator_stats(self.device)
                .map(|stats| stats.peak_reserved_bytes),
            memory_plan: None,
            device_idle: video.idle.map(|idle| DeviceIdle {
                idle_secs: idle.idle_secs,
                total_secs: idle.total_secs,
            }),
            resumed: None,
            rungs: vec![],
            verified: written.summary.verified,
            time_to_first_step_secs: None,
        }
    }

    /// The prompt and the start image, encoded now or by an earlier job.
    fn condition(
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

/// SHA-256 of a tensor's values as f32, in hexadecimal.
fn sha256(tensor: &Tensor) -> String {
    let values = Vec::<f32>::try_from(tensor.to_kind(Kind::Float).contiguous().view([-1]));
    let mut hash = Sha256::new();
    for value in values.expect("a flat tensor of f32") {
        hash.update(value.to_le_bytes());
    }
    format!("{:x}", hash.finalize())
}

fn kind_label(kind: Kind) -> &'static str {
    match kind {
        Kind::Float => "f32",
        Kind::BFloat16 => "bf16",
        Kind::Half => "f16",
        other => unreachable!("{other:?} is not a dtype of a model"),
    }
}

#[cfg(test)]
mod tests;
