//! A job's prompts and start image, encoded. An encoder is loaded only for what the cache lacks.

use framepack_ipc::worker::Phase;
use tch::Tensor;

use crate::{
    bundle::EncoderFiles,
    condition::{
        PromptEmbedding,
        cache::{Computation, EmbeddingCache, Key, Subject},
        conditioning, start_latent,
    },
    device,
    error::Error,
    job::Job,
    kernels::KernelUse,
    models::Models,
    platform::Platform,
    progress::ProgressReporter,
    sampler::{Guided, needs_negative},
    transformer::Conditioning,
};

/// One job's turn at the encoders.
pub(super) struct Encoders<'a, 'j> {
    pub(super) job: &'a Job,
    /// What the models were loaded from, or will be.
    pub(super) files: EncoderFiles,
    pub(super) platform: &'a Platform,
    pub(super) cache: &'a mut EmbeddingCache,
    pub(super) models: &'a mut Models,
    pub(super) progress: &'a mut ProgressReporter<'j>,
}

impl Encoders<'_, '_> {
    /// The prompts and the start image as the transformer takes them.
    pub(super) fn conditioning(&mut self) -> Result<Guided<Conditioning>, Error> {
        let job = self.job;
        let positive = self.prompt(&job.prompt)?;
        let negative = needs_negative(&job.sampling.guidance)
            .then(|| self.prompt(&job.negative_prompt))
            .transpose()?;
        let image = self.image_states()?;
        let options = (self.models.transformer_kind(), self.platform.device);
        let prompts = Guided { positive, negative };
        Ok(prompts.map(|prompt| conditioning(&prompt, &image, options)))
    }

    /// The start image's latent, (1, C, 1, h, w), scaled.
    pub(super) fn start_latent(&mut self) -> Result<Tensor, Error> {
        let image = &self.job.image;
        let [latent] = self.cached(Subject::StartLatent(image), ["latent"], |this| {
            let (kind, device) = (this.models.vae_kind(), this.platform.device);
            this.progress.enter(Phase::Load)?;
            let vae = this.models.vae(&this.job.bundle)?;
            this.progress.enter(Phase::Image)?;
            Ok([start_latent(vae, image, (kind, device))])
        })?;
        Ok(latent)
    }

    /// A prompt, by both text encoders.
    fn prompt(&mut self, prompt: &str) -> Result<PromptEmbedding, Error> {
        let names = ["hidden_states", "pooled"];
        let [hidden_states, pooled] = self.cached(Subject::Prompt(prompt), names, |this| {
            let encoders = this.models.text(&this.job.bundle)?;
            this.progress.enter(Phase::Text)?;
            let embedding = encoders.embed(prompt)?;
            Ok([embedding.hidden_states, embedding.pooled])
        })?;
        Ok(PromptEmbedding {
            hidden_states,
            pooled,
        })
    }

    /// SigLIP's states of the start image, (1, N, D).
    fn image_states(&mut self) -> Result<Tensor, Error> {
        let image = &self.job.image;
        let [states] = self.cached(Subject::ImageStates(image), ["states"], |this| {
            this.progress.enter(Phase::Load)?;
            let encoder = this.models.vision(&this.job.bundle)?;
            this.progress.enter(Phase::Image)?;
            Ok([encoder.embed(image)])
        })?;
        Ok(states)
    }

    /// What the cache has of `subject`, or what `encode` makes of it, which the cache has from then on.
    fn cached<const N: usize>(
        &mut self,
        subject: Subject<'_>,
        names: [&str; N],
        encode: impl FnOnce(&mut Self) -> Result<[Tensor; N], Error>,
    ) -> Result<[Tensor; N], Error> {
        let models = &self.models;
        // Of these models the VAE alone has kernels.
        let (files, kind, kernels) = match subject {
            Subject::Prompt(_) => (self.files.text(), models.encoder_kind(), KernelUse::Off),
            Subject::ImageStates(_) => (self.files.vision(), models.encoder_kind(), KernelUse::Off),
            Subject::StartLatent(_) => (self.files.vae(), models.vae_kind(), models.kernels()),
        };
        let computation = Computation {
            files,
            kind,
            device: &self.platform.name,
            build: self.platform.build,
            kernels_off: device::not_torchs_choice(),
            kernels,
        };
        let key = Key::new(subject, &computation);
        if let Some(tensors) = self.cache.get(key, names) {
            return Ok(tensors);
        }
        let tensors = encode(self)?;
        // Files that were replaced while they were loaded are not those that the key names.
        if EncoderFiles::of(&self.job.bundle)? == self.files {
            self.cache.put(key, names, &tensors);
        }
        Ok(tensors)
    }
}
