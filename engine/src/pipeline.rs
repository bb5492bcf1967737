//! One job from request to video.

use std::{collections::VecDeque, ops::ControlFlow, path::Path, rc::Rc};

use framepack_ipc::worker::{
    DeviceIdle, Phase, RenderOutput, RenderRequest, Temperature, Verified,
};
use sha2::{Digest, Sha256};
use tch::{Device, Kind, Tensor};

use crate::{
    assembly::Assembly,
    condition::{
        Conditions,
        cache::EmbeddingCache,
        conditioning,
        encode::{Embeddings, EncoderFiles, Encoding},
    },
    device::{self, WorkClock},
    error::Error,
    history::LatentHistory,
    job::Job,
    memory::planner::Planner,
    models::{ModelOptions, Models},
    output::{self, Written},
    progress::{Journal, Listener},
    sampler::{
        Denoiser, NoiseStream, Prompts, Sampled, ScheduleEmbeddings, Shift, needs_negative, sigmas,
        unipc,
    },
    transformer::Context,
};

/// Renders jobs on one device, one after the other, keeping the models warm.
#[derive(Debug)]
pub struct Pipeline {
    device: Device,
    planner: Planner,
    models: Models,
    embeddings: Embeddings,
}

/// What the section loop leaves.
#[derive(Debug)]
pub(crate) struct Video {
    /// All latents in the order of time, (1, C, T, h, w) f32 on the CPU.
    pub(crate) latents: Tensor,
    /// All frames in the order of time, packed RGB, in pieces of whole frames.
    pub(crate) frames: VecDeque<Vec<u8>>,
    /// How long the device waited between the sections' parts; `None` on the CPU.
    pub(crate) idle: Option<device::Idle>,
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
        let outcome = device::catch(|| self.run(request, Journal::new(listener)));
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
        mut journal: Journal<'_>,
    ) -> Result<RenderOutput, Error> {
        device::reset_peak(self.device);
        let job = Job::resolve(request)?;
        let (memory_plan, placement) = self.planner().plan_job(&job)?;
        self.models.place(placement);
        journal.started(&job.plan)?;

        let conditions = self.condition(&job, &mut journal)?;
        let video = self.generate(&job, &conditions, &mut journal)?;
        let written = output::write(&job, &video, &mut journal)?;
        let report = self.report(job, &video, written, journal);
        Ok(RenderOutput {
            memory_plan: Some(Box::new(memory_plan)),
            ..report
        })
    }

    fn report(
        &self,
        job: Job,
        video: &Video,
        written: Written,
        journal: Journal<'_>,
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
            phases: journal.into_phases(),
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
            verified: Verified::Container,
            time_to_first_step_secs: None,
        }
    }

    /// The prompt and the start image, encoded now or by an earlier job.
    fn condition(&mut self, job: &Job, journal: &mut Journal<'_>) -> Result<Conditions, Error> {
        let _no_grad = tch::no_grad_guard();
        let files = EncoderFiles::of(&job.bundle)?;
        self.models.select(&job.bundle, files);
        let mut encoding = Encoding {
            job,
            files,
            embeddings: &mut self.embeddings,
            models: &mut self.models,
            journal,
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

    /// Section by section: noise to latents, latents to frames.
    pub(crate) fn generate(
        &mut self,
        job: &Job,
        conditions: &Conditions,
        journal: &mut Journal<'_>,
    ) -> Result<Video, Error> {
        let _no_grad = tch::no_grad_guard();
        let plan = &job.sampling.sections;
        let mut noise_shape = conditions.start_latent.size(); // (1, C, 1, h, w)
        noise_shape[2] = plan.latent_window;

        let mut noise = NoiseStream::new(job.sampling.seed);
        let mut history = LatentHistory::new(plan.order, &conditions.start_latent);
        let mut frames = Assembly::new(plan.order, plan.overlap_frames());
        let mut clock = WorkClock::new(self.device);
        journal.enter(Phase::Load)?;
        let embeddings = self.embeddings(job, conditions, &noise_shape)?;
        for (number, section) in plan.sections.iter().enumerate() {
            journal.enter(Phase::Sample)?;
            let noise = noise.next(&noise_shape).to_device(self.device);
            let context = history.context(section, self.device);
            let running = (&mut *journal, &mut clock);
            let latents = self.sample(job, &embeddings, (&context, &noise), running)?;
            let latents = latents.to_device(Device::Cpu);
            check_numbers(&latents, || format!("latents of section {}", number + 1))?;
            history.push(section, &latents);

            journal.enter(Phase::Decode)?;
            self.decode(job, &history.newest(section), (&mut frames, &mut clock))?;
            output::write_preview(job, number, &latents)?; // while the device decodes
            frames.fetch()?;
            journal.section_done();
        }
        Ok(Video {
            latents: history.video(),
            frames: frames.finish()?,
            idle: clock.idle(),
        })
    }

    /// What all sections' steps need of timestep, prompt and image.
    fn embeddings(
        &mut self,
        job: &Job,
        conditions: &Conditions,
        noise_shape: &[i64],
    ) -> Result<Rc<ScheduleEmbeddings<'static>>, Error> {
        let prompts = Prompts {
            positive: &conditions.positive,
            negative: conditions.negative.as_ref(),
        };
        let schedule = (&schedule(job, noise_shape)[..], job.sampling.guidance);
        self.models.embeddings(&job.transformer, schedule, prompts)
    }

    /// The transformer, loaded, with the job's settings.
    fn sampled(&mut self, job: &Job) -> Result<Sampled<'_>, Error> {
        Ok(Sampled {
            kind: self.models.transformer_kind(),
            transformer: self.models.transformer(&job.transformer)?,
            guidance: job.sampling.guidance,
        })
    }

    /// Latents of one section, (1, C, window, h, w) f32.
    fn sample(
        &mut self,
        job: &Job,
        embeddings: &ScheduleEmbeddings<'_>,
        (context, noise): (&Context, &Tensor),
        (journal, clock): (&mut Journal<'_>, &mut WorkClock),
    ) -> Result<Tensor, Error> {
        let denoiser = Denoiser {
            model: self.sampled(job)?,
            embeddings,
            context,
        };
        let schedule = schedule(job, &noise.size());
        let denoise = |x: &Tensor, sigma| denoiser.denoise(x, sigma);
        let sampled = clock.piece(|| unipc(noise, &schedule, denoise, |_, _| journal.step_done()));
        match sampled {
            ControlFlow::Continue(latents) => Ok(latents),
            ControlFlow::Break(()) => Err(Error::Cancelled),
        }
    }

    /// Adds the frames of `latents` to the video. The host need not wait for the device.
    fn decode(
        &mut self,
        job: &Job,
        latents: &Tensor,
        (frames, clock): (&mut Assembly, &mut WorkClock),
    ) -> Result<(), Error> {
        let (kind, tiling) = (self.models.encoder_kind(), self.models.tiling());
        let vae = self.models.decoder(&job.bundle)?;
        let unscaled = (latents / vae.scaling_factor())
            .to_kind(kind)
            .to_device(self.device);
        clock.piece(|| frames.join(&vae.decode(&unscaled, tiling)));
        Ok(())
    }
}

/// The noise levels of a section whose noise has this shape.
fn schedule(job: &Job, noise_shape: &[i64]) -> Vec<f32> {
    sigmas(job.sampling.steps, Shift::of(noise_shape))
}

fn check_numbers(tensor: &Tensor, what: impl FnOnce() -> String) -> Result<(), Error> {
    match tensor.isfinite().all().int64_value(&[]) {
        0 => Err(Error::Numerics { what: what() }),
        _ => Ok(()),
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
        other => unreachable!("{other:?} is no type of a model"),
    }
}

#[cfg(test)]
mod tests;
