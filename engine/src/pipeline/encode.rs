//! A job's prompt and start image, encoded. An encoder is loaded only for what the cache lacks.

use framepack_ipc::worker::Phase;
use tch::{Device, Tensor};

use crate::{
    condition::{
        EncoderFiles, PromptEmbedding,
        cache::{Computation, EmbeddingCache, Key, Subject},
        start_latent,
    },
    device,
    error::Error,
    job::Job,
    models::Models,
    progress::ProgressReporter,
    weights::Fingerprint,
};

/// The embeddings of a device's jobs, and what they depend on besides the job.
#[derive(Debug)]
pub(crate) struct Embeddings {
    pub(crate) cache: EmbeddingCache,
    device: String,
    /// Of this program.
    pub(crate) build: Option<Fingerprint>,
}

impl Embeddings {
    /// Embeddings computed on `device` by this program.
    pub(crate) fn new(device: Device, cache: EmbeddingCache) -> Self {
        let kind = match device {
            Device::Cuda(_) => "cuda",
            _ => "cpu",
        };
        let program = std::env::current_exe().and_then(|path| Fingerprint::of_file(&path));
        Self {
            cache,
            device: format!("{kind} {}", device::model_name(device)),
            build: program.ok(),
        }
    }
}

/// One job's turn at the encoders.
pub(crate) struct Encoding<'a, 'j> {
    pub(crate) job: &'a Job,
    /// What the models were loaded from, or will be.
    pub(crate) files: EncoderFiles,
    pub(crate) embeddings: &'a mut Embeddings,
    pub(crate) models: &'a mut Models,
    pub(crate) progress: &'a mut ProgressReporter<'j>,
}

impl Encoding<'_, '_> {
    /// A prompt, by both text encoders.
    pub(crate) fn prompt(&mut self, prompt: &str) -> Result<PromptEmbedding, Error> {
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
    pub(crate) fn image_states(&mut self) -> Result<Tensor, Error> {
        let image = &self.job.image;
        let [states] = self.cached(Subject::ImageStates(image), ["states"], |this| {
            this.progress.enter(Phase::Load)?;
            let encoder = this.models.vision(&this.job.bundle)?;
            this.progress.enter(Phase::Image)?;
            Ok([encoder.embed(image)])
        })?;
        Ok(states)
    }

    /// The start image's latent, (1, C, 1, h, w), scaled.
    pub(crate) fn start_latent(&mut self) -> Result<Tensor, Error> {
        let image = &self.job.image;
        let [latent] = self.cached(Subject::StartLatent(image), ["latent"], |this| {
            let (kind, device) = (this.models.vae_kind(), this.models.device());
            this.progress.enter(Phase::Load)?;
            let vae = this.models.vae(&this.job.bundle)?;
            this.progress.enter(Phase::Image)?;
            Ok([start_latent(vae, image, (kind, device))])
        })?;
        Ok(latent)
    }

    /// What the cache has of `subject`, or what `encode` makes of it, which the cache has from then on.
    fn cached<const N: usize>(
        &mut self,
        subject: Subject<'_>,
        names: [&str; N],
        encode: impl FnOnce(&mut Self) -> Result<[Tensor; N], Error>,
    ) -> Result<[Tensor; N], Error> {
        let key = Key::new(
            subject,
            &Computation {
                files: self.files.of_subject(subject),
                kind: match subject {
                    Subject::StartLatent(_) => self.models.vae_kind(),
                    _ => self.models.encoder_kind(),
                },
                device: &self.embeddings.device,
                build: self.embeddings.build,
            },
        );
        if let Some(tensors) = self.embeddings.cache.get(key, names) {
            return Ok(tensors);
        }
        let tensors = encode(self)?;
        // Files that were replaced while they were loaded are not those that the key names.
        if EncoderFiles::of(&self.job.bundle)? == self.files {
            self.embeddings.cache.put(key, names, &tensors);
        }
        Ok(tensors)
    }
}
