//! One job from request to video.

mod encode;
mod generate;
mod kept;

use std::path::Path;

use framepack_ipc::worker::{DeviceIdle, Precaution, RenderOutput, RenderRequest, Temperature};
use sha2::{Digest, Sha256};
use tch::{Device, Kind, Tensor};

use self::{generate::Generation, kept::Kept};
use crate::{
    condition::{EncoderFiles, cache::EmbeddingCache},
    device::{self, OtherKernels},
    error::{Error, VideoError},
    job::Job,
    ladder::Ladder,
    options::ModelOptions,
    output::{self, Video, Written},
    plan::Planner,
    progress::{Listener, ProgressReporter},
};

/// What a precaution is in a report.
const CAREFUL: &str = "the last attempt produced NaN: in this one the VAE computed in f32, and attention avoided torch's preferred kernels";

/// Renders jobs on one device, one after the other, keeping the models warm.
#[derive(Debug)]
pub struct Pipeline {
    kept: Kept,
}

impl Pipeline {
    /// A pipeline without models yet.
    pub fn new(device: Device, options: ModelOptions) -> Self {
        Self {
            kept: Kept::new(device, options),
        }
    }

    /// Keeps embeddings in `embeddings/` of a state directory too, from where the next process has them. No
    /// other process may use the same device with that directory.
    #[must_use]
    pub fn with_state_dir(mut self, state_dir: &Path) -> Self {
        let folder = state_dir.join("embeddings");
        let cache = EmbeddingCache::on_disk(&folder, &device::label(self.kept.device));
        self.kept.embeddings.cache = cache;
        self
    }

    /// What plans jobs for this pipeline's device; also while it renders.
    pub fn planner(&self) -> Planner {
        self.kept.planner()
    }

    /// Gives up models and their memory.
    pub fn cool(&mut self, temperature: Temperature) {
        match temperature {
            Temperature::Hot => {}
            Temperature::Warm => self.kept.models.leave_device(),
            Temperature::Cold => self.kept.models.clear(),
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
            self.kept.models.clear();
        }
        outcome
    }

    fn run(
        &mut self,
        request: &RenderRequest,
        mut progress: ProgressReporter<'_>,
    ) -> Result<RenderOutput, Error> {
        device::reset_peak(self.kept.device);
        let mut job = Job::resolve(request)?;
        let is_careful = job.precaution == Precaution::Numerics;
        let _other_kernels = is_careful.then(OtherKernels::new);
        job.warnings.extend(is_careful.then(|| CAREFUL.into()));
        let ladder = Ladder::at(request.rung);
        let memory_plan = self.kept.place(&job, &ladder)?;
        progress.started(&job.plan)?;

        let files = EncoderFiles::of(&job.bundle)?;
        self.kept.models.select(&job.bundle, files);
        let mut checkpoints = self.kept.checkpoints(&job, files)?;
        let mut found = checkpoints.find(job.plan.sections as usize);
        job.warnings.extend(found.warning.take());
        let resumed = found.resumed(&self.kept.provenance(&job, &ladder));
        progress.sections_done(found.sections.len() as u32);
        let conditions = if found.sections.len() < job.plan.sections as usize {
            Some(self.kept.condition(&job, files, &mut progress)?)
        } else {
            None // decoding is all that is left to do
        };
        let generation = Generation {
            kept: &mut self.kept,
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
                .chain(self.kept.models.warnings())
                .collect(),
            phases: progress.into_phases(),
            device: device::label(self.kept.device),
            dtype: kind_label(self.kept.models.transformer_kind()).into(),
            // As planned: with what torch holds beside its tensors.
            peak_device_bytes: device::allocator_stats(self.kept.device)
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
