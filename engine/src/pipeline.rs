//! One job from request to video.

mod attention;
mod beside;
mod course;
mod decode;
mod encode;
mod frames;
mod generate;
mod measured;
mod pending;
mod prepare;
mod read_ahead;
mod recurring;
mod restart;
mod run;
mod sample;
mod settled;
mod timelines;
mod warm;

use std::{collections::BTreeMap, path::Path};

use framepack_ipc::worker::{ChosenBy, DeviceIdle, Extent, RenderOutput, RenderRequest};
use sha2::{Digest, Sha256};
use tch::{Device, Kind, Tensor};

pub use self::prepare::Bundles;
use self::{
    attention::{Decision, Wishes},
    encode::Encoders,
    generate::{Generation, Opening},
    prepare::Usual,
    run::Run,
    settled::settled,
};
use crate::{
    bundle::EncoderFiles,
    checkpoint::{Checkpoints, KeptFrames, Provenance, ResumePoint},
    condition::cache::EmbeddingCache,
    device::{self, JobPeak, OtherKernels},
    error::{Error, VideoError},
    job::Job,
    models::Models,
    nn::attention::{AttentionMode, Backend, Choices, Class, Resolved, TorchKernels},
    output::{self, Encoding, Video, Written},
    plan::{DecodeSizes, Ladder, ModelOptions, Planner, unless_refused},
    platform::Platform,
    previews::Previews,
    progress::{Listener, ProgressReporter},
    text::reach::Reach,
    transformer,
    weights::Fingerprint,
};

/// Renders jobs on one device, one after the other, keeping the models warm and what was encoded.
#[derive(Debug)]
pub struct Pipeline {
    platform: Platform,
    models: Models,
    embeddings: EmbeddingCache,
    choices: Choices,
    sizes: DecodeSizes,
    options: ModelOptions,
}

impl Pipeline {
    /// A pipeline without models yet.
    pub fn new(device: Device, options: ModelOptions) -> Self {
        let platform = Platform::of(device);
        Self {
            models: Models::new(device, options),
            embeddings: EmbeddingCache::in_memory(),
            choices: Choices::in_memory(&platform),
            sizes: DecodeSizes::in_memory(&platform),
            options,
            platform,
        }
    }

    /// Keeps embeddings in `embeddings/` of a state directory too, compiled kernels in `kernels/`, attention choices in
    /// `choices-NAME.json`, and what decoding takes in `decoding-NAME.json`, from where the next process has them. No other process may use the
    /// same device with that directory.
    #[must_use]
    pub fn with_state_dir(mut self, state_dir: &Path) -> Self {
        let folder = state_dir.join("embeddings");
        let name = device::label(self.platform.device);
        self.embeddings = EmbeddingCache::on_disk(&folder, &name);
        let choices = state_dir.join(format!("choices-{name}.json"));
        self.choices = Choices::on_disk(&choices, &self.platform);
        let sizes = state_dir.join(format!("decoding-{name}.json"));
        self.sizes = DecodeSizes::on_disk(&sizes, &self.platform);
        self.models.keep_kernels(&state_dir.join("kernels"));
        self
    }

    /// Checks the device, and makes ready what jobs of `bundles` will need. Fails if the device does; what is wrong with
    /// bundles is left to the jobs that meet it.
    pub fn prepare(&mut self, bundles: &Bundles) -> Result<(), Error> {
        let usual = Usual {
            planner: self.planner(),
            options: self.options,
            device: self.platform.device,
        };
        let (flag, mode) = (self.options.attention, self.options.attention_mode);
        prepare::prepare(bundles, usual, |class| match flag {
            Some(backend) => Ok(backend),
            None => Ok(self.by_mode(mode, class)?.backend),
        })
    }

    /// What plans jobs for this pipeline's device; also while it renders.
    pub fn planner(&self) -> Planner {
        let planner = self.models.planner().knowing(self.choices.clone());
        planner.measured(self.sizes.factors())
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
        let mut peak = JobPeak::begin(self.platform.device);
        let mut job = Job::resolve(request)?;
        job.warnings.extend(short_of_host_memory(request.host_rung));
        let mut ladder = Ladder::at(request.rung, request.host_rung);
        self.models.begin(&job);
        self.sizes.read_again();
        self.models.plan_with(self.sizes.factors());
        let mut memory_plan = self.models.place(&job, ladder.relief())?;

        let files = EncoderFiles::of(&job.bundle)?;
        self.models.select(&job.bundle, files);
        let mut checkpoints = self.checkpoints(&job, files)?;
        let mut found = checkpoints.find(job.plan.sections as usize);
        let mut frames = KeptFrames::new(&job.output.work_dir, job.sampling.sections.order);
        if job.extent == Extent::FinishedSections {
            let sections = found.sections.len() as u32;
            if sections == 0 {
                return Err(Error::Cancelled); // there is nothing to be made
            }
            if sections < job.plan.sections {
                job.end_after(sections);
                frames = frames.ending_with(sections);
            }
        }
        progress.started(&job.plan)?;
        job.warnings.extend(Reach::default().warnings(request));
        job.warnings.extend(found.warning.take());
        if timelines::did_without(&job.sampling.step_cache, &found, &checkpoints) {
            ladder.drop_step_cache("an earlier run of the job did without it".to_owned());
            memory_plan = self.models.place(&job, ladder.relief())?;
        }
        found.frames = frames.find(&found.checksums);
        let device = self.platform.device;
        let class = self.attention_class(&job, memory_plan.transformer.tokens)?;
        let expected = self
            .options
            .expected_attention(device, job.settings.attention);
        let planned = expected.memory(device, &class)?;
        let attention = self.attention(&job, &found, &class)?;
        job.warnings.extend(attention.warning.clone());
        job.warnings.extend(attention.careful_warning());
        let is_other = attention.torch_kernels == TorchKernels::NotPreferred;
        let _other_kernels = is_other.then(OtherKernels::new);
        let memory = attention.backend.memory(device, &class)?;
        let reason = attention.without_fused(memory);
        let attention = attention.because(reason);
        job.attention_memory = Some(memory);
        if memory != planned {
            memory_plan = self.models.place(&job, ladder.relief())?;
        }
        let settled = settled(&self.models, &ladder, &attention);
        let resumed = found.resumed(&Provenance::now(&self.platform, settled));
        progress.sections_done(found.sections.len() as u32);
        let opening = self.opening(&job, files, &found, &mut progress)?;
        let mut previews = Previews::new(&job);
        let encoding = Encoding::begin(&job, &mut frames);
        let run = Run {
            job: &job,
            platform: &self.platform,
            models: &mut self.models,
            sizes: &mut self.sizes,
            peak: &mut peak,
            attention: &attention,
            checkpoints: &mut checkpoints,
            frames,
            previews: &mut previews,
            progress: &mut progress,
        };
        let (mut video, ladder) = Generation::new(run, &opening, ladder).run(&found)?;
        let written = output::write(&job, (&mut video, encoding), &mut previews, &mut progress);
        let written = written.inspect_err(|error| {
            if matches!(error, Error::Video(VideoError::Black { .. })) {
                checkpoints.remove(); // these latents would be as black the next time
                video.frames.remove();
            }
        })?;
        job.warnings.extend(written.warning.clone());
        job.warnings.extend(previews.warning());
        let alone = |reason| format!("sections were no longer decoded beside sampling: {reason}");
        job.warnings.extend(video.overlap_ended.take().map(alone));
        let rule = job.sampling.step_cache;
        let given_up = timelines::given_up(&rule, &self.models, &ladder);
        job.warnings
            .extend(given_up.as_ref().map(|reason| format!("{rule}: {reason}")));
        let timelines = std::mem::take(&mut video.timelines);
        let report = self.report(job, &video, written, progress);
        Ok(RenderOutput {
            memory_plan: Some(Box::new(memory_plan)),
            // As planned: with what torch holds beside its tensors.
            peak_device_bytes: peak.reserved_bytes(),
            resumed,
            rungs: ladder.into_taken(),
            step_cache: timelines::report(&rule, timelines, given_up),
            inactive: attention
                .inactive()
                .into_iter()
                .chain(self.models.inactive())
                .collect(),
            attention: Some(attention.report()),
            ..report
        })
    }

    /// The job's checkpoints, which are of no use once its models have changed. Neither is a transformer that was
    /// loaded from other files.
    fn checkpoints(&mut self, job: &Job, files: EncoderFiles) -> Result<Checkpoints, Error> {
        let transformer = Fingerprint::of_folders([job.transformer.as_path()])?;
        self.models.select_transformer(transformer);
        let models = files.fingerprints().into_iter().chain([transformer]);
        Ok(Checkpoints::of(job, models, self.models.synthesised()))
    }

    /// What the attention of a job of so many tokens is.
    fn attention_class(&self, job: &Job, tokens: u64) -> Result<Class, Error> {
        let config = transformer::Config::read(&job.transformer)?;
        Ok(config.attention_class(self.models.transformer_kind(), tokens))
    }

    /// What computes it.
    fn attention(
        &mut self,
        job: &Job,
        found: &ResumePoint,
        class: &Class,
    ) -> Result<Decision, Error> {
        let device = self.platform.device;
        let asked = job.settings.attention.or(self.options.attention_mode);
        // Where decoding is all that is left to do, nothing needs the backend.
        let is_to_sample = found.sections.len() < job.plan.sections as usize;
        let begun = found.newest().filter(|_| !is_to_sample);
        let begun = begun.and_then(|made| made.attention_mode.parse().ok());
        let wishes = Wishes {
            precaution: job.precaution,
            checkpoint: found.newest(),
            flag: self.options.attention,
            mode: begun.unwrap_or(asked),
        };
        let is_available =
            |backend: Backend| Ok(!is_to_sample || backend.is_available(device, class)?);
        let by_mode = |mode| unless_refused(job, mode, self.by_mode(mode, class)?);
        let decision = Decision::new(wishes, is_available, by_mode)?.of_mode(asked, device);
        let Decision {
            backend,
            chosen_by,
            mode,
            reason,
            ..
        } = &decision;
        if is_to_sample && *chosen_by == ChosenBy::Flag {
            backend.require(device, class)?;
        }
        tracing::info!(%backend, ?chosen_by, %mode, reason, ?class, "attention");
        Ok(decision)
    }

    /// What a mode comes to.
    fn by_mode(&mut self, mode: AttentionMode, class: &Class) -> Result<Resolved, Error> {
        let resolved = self.choices.choose(mode, class);
        if mode == AttentionMode::Aggressive {
            device::empty_cache(); // a measurement's tensors are of other sizes than a job's
        }
        resolved
    }

    /// The start image and the prompts, as far as they are needed: encoded now or by an earlier job, or found.
    fn opening(
        &mut self,
        job: &Job,
        files: EncoderFiles,
        found: &ResumePoint,
        progress: &mut ProgressReporter<'_>,
    ) -> Result<Opening, Error> {
        let _no_grad = tch::no_grad_guard();
        let mut encoders = Encoders {
            job,
            files,
            platform: &self.platform,
            cache: &mut self.embeddings,
            models: &mut self.models,
            progress,
        };
        let is_to_sample = found.sections.len() < job.plan.sections as usize;
        let conditioning = is_to_sample.then(|| encoders.conditioning()).transpose()?;
        let start_latent = match &found.start_latent {
            Some(latent) => latent.shallow_clone(),
            None => encoders.start_latent()?,
        };
        Ok(Opening {
            start_latent,
            conditioning,
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
            stream_sha256: Some(written.summary.stream_sha256.clone()),
            warnings: job
                .warnings
                .into_iter()
                .chain(self.models.warnings())
                .collect(),
            phases: progress.into_phases(),
            device: device::label(self.platform.device),
            dtype: kind_label(self.models.transformer_kind()).into(),
            peak_device_bytes: None,
            memory_plan: None,
            memory_use: Some(Box::new(self.models.memory_use())),
            decoded_tiles: Some(video.tiles),
            device_idle: video.idle.map(|idle| DeviceIdle {
                idle_secs: idle.idle_secs,
                decoding_alone_secs: idle.decoding_alone_secs,
                hidden_secs: idle.hidden_secs,
                total_secs: idle.total_secs,
            }),
            resumed: None,
            rungs: vec![],
            attention: None,
            step_cache: None,
            inactive: BTreeMap::new(),
            verified: written.summary.verified(),
            partial: job.partial,
            time_to_first_step_secs: None,
        }
    }
}

/// What is done after the kernel ended earlier runs for want of memory.
fn short_of_host_memory(runs: u32) -> Option<String> {
    let part = 1_u64.checked_shl(runs).unwrap_or(u64::MAX);
    (runs > 0).then(|| {
        format!("the kernel ended {runs} earlier runs for want of memory: page-locked memory was limited to 1/{part}")
    })
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
