//! The models of a bundle: loaded when first needed and warm between jobs, as far as the device has room.

mod hoist;
mod load;
mod report;
#[cfg(test)]
mod tests;
mod transformer;

use std::{path::Path, rc::Rc};

use framepack_ipc::worker::{MemoryPlan, MemoryUse};
use framepack_jobs::{Guidance, settings::PRESERVE_GB};
use tch::{Device, Kind};

pub use self::hoist::{hoist, hoist_schedule};
use self::{hoist::HoistedCache, transformer::LoadedTransformer};
use crate::{
    bundle::{Bundle, Component, EncoderFiles},
    condition::{TextEncoders, VisionEncoder},
    device,
    error::Error,
    job::Job,
    kernels::{KernelUse, Kernels},
    offload::{Memory, Residency},
    plan::{ChosenScheme, DecodeFactors, ModelOptions, Placement, Planner, Relief, SchemeReason},
    sampler::{Guided, Sampled, ScheduleConditioning},
    settings::MemorySettings,
    text::{Clip, Llama, TextTokenizers},
    transformer::{Conditioning, PackedTransformer},
    vae::{DecodeScheme, FinestLevel, SpaceTiling, TimeTiling, Vae},
    vision::{Preprocessor, Siglip},
    weights::{Fingerprint, ModelSource, WeightsError},
};

/// The models, of one bundle at a time.
#[derive(Debug)]
pub(crate) struct Models {
    device: Device,
    memory: Memory,
    options: ModelOptions,
    planner: Planner,
    /// What was measured of decoding, as far as the current job may know.
    factors: DecodeFactors,
    /// What the current job says of memory.
    settings: MemorySettings,
    /// Where the current job's plan puts them.
    placement: Option<Placement>,
    /// With the state of its files.
    bundle: Option<(Bundle, EncoderFiles)>,
    text: Option<TextEncoders>,
    vision: Option<VisionEncoder>,
    /// With the type that it was loaded in.
    vae: Option<(Kind, Vae)>,
    transformer: Option<LoadedTransformer>,
    /// Compiled when a model first needs them.
    kernels: Rc<Kernels>,
    /// The files that the transformer was or will be loaded from.
    transformer_files: Option<Fingerprint>,
}

impl Models {
    /// No models yet.
    pub(crate) fn new(device: Device, options: ModelOptions) -> Self {
        Self {
            device,
            memory: Memory::new(device, options.memory),
            options,
            planner: Planner::new(device, options),
            factors: DecodeFactors::default(),
            settings: MemorySettings::default(),
            placement: None,
            bundle: None,
            text: None,
            vision: None,
            vae: None,
            transformer: None,
            kernels: Rc::new(Kernels::new(device)),
            transformer_files: None,
        }
    }

    /// Keeps compiled kernels in `folder`; before any model is loaded.
    pub(crate) fn keep_kernels(&mut self, folder: &Path) {
        self.kernels = Rc::new(Kernels::kept_in(self.device, folder));
    }

    /// Drops all models and returns their memory.
    pub(crate) fn clear(&mut self) {
        self.text = None;
        self.vision = None;
        self.vae = None;
        self.transformer = None;
        self.transformer_files = None;
        self.memory.release_staging();
        device::empty_cache();
    }

    /// What the blocks of the models hold of the device's memory.
    pub(crate) fn weights_bytes(&self) -> u64 {
        self.memory.vram().live_bytes()
    }

    /// Drops the copies on the device. The transformer's copies in host memory stay.
    pub(crate) fn leave_device(&mut self) {
        self.text = None;
        self.vision = None;
        self.vae = None;
        if let Some(transformer) = &mut self.transformer {
            transformer.leave_device();
        }
        device::empty_cache();
    }

    /// Keeps what is loaded only if it is of `bundle` as its files are now.
    pub(crate) fn select(&mut self, bundle: &Bundle, files: EncoderFiles) {
        let selected = Some((bundle.clone(), files));
        if self.bundle != selected {
            self.clear();
            self.bundle = selected;
        }
    }

    /// The same of the transformer, whose files are these now.
    pub(crate) fn select_transformer(&mut self, files: Fingerprint) {
        if self.transformer_files.replace(files) != Some(files) {
            self.transformer = None;
        }
    }

    /// What plans jobs beside these models.
    pub(crate) fn planner(&self) -> Planner {
        let transformer = self.transformer.as_ref();
        let host_bytes = transformer.map_or(0, |loaded| loaded.model.blocks().host_bytes());
        self.planner
            .clone()
            .beside(host_bytes)
            .measured(self.factors)
    }

    /// Plans with what was measured of decoding from now on.
    pub(crate) fn plan_with(&mut self, factors: DecodeFactors) {
        self.factors = factors;
    }

    /// Does as a job says of memory from now on, and counts what comes of it.
    pub(crate) fn begin(&mut self, job: &Job) {
        self.settings = job.settings.memory;
        self.memory.set_backend(self.settings.backend);
        let chunk_bytes = usize::try_from(self.settings.load_chunk_bytes);
        self.memory
            .set_chunk_bytes(chunk_bytes.unwrap_or(usize::MAX));
        self.memory.start_counting();
    }

    /// Plans a job that gives up so much, and puts the models where the plan says from now on.
    pub(crate) fn place(&mut self, job: &Job, relief: Relief) -> Result<MemoryPlan, Error> {
        let (plan, placement) = self.planner().plan_job(job, relief)?;
        self.placement = Some(placement);
        Ok(plan)
    }

    /// What the settings of the job that began last have done so far.
    pub(crate) fn memory_use(&self) -> MemoryUse {
        let transformer = self.transformer.as_ref();
        let blocks = transformer.map(|loaded| loaded.model.blocks());
        report::memory_use(&self.memory, &self.settings, self.placement(), blocks)
    }

    /// What of the job's memory settings could not be had, and why: by its key.
    pub(crate) fn inactive(&self) -> Option<(String, String)> {
        let reason = self.placement().transformer.less_preserved()?;
        Some((PRESERVE_GB.key.to_owned(), reason))
    }

    /// The seed that all weights are made from, if they are.
    pub(crate) fn synthesised(&self) -> Option<u64> {
        self.options.synthesise
    }

    /// Type of the transformer.
    pub(crate) fn transformer_kind(&self) -> Kind {
        self.options.transformer_kind(self.device)
    }

    /// Type of the VAE and the encoders.
    pub(crate) fn encoder_kind(&self) -> Kind {
        self.options.encoder_kind(self.device)
    }

    /// Type of the VAE.
    pub(crate) fn vae_kind(&self) -> Kind {
        self.placement().vae_kind
    }

    /// What computes the models.
    pub(crate) fn kernels(&self) -> KernelUse {
        self.options.kernels
    }

    /// Whether the device could have kernels, and there is no compiler for them.
    pub(crate) fn lacks_compiler(&self) -> bool {
        self.device.is_cuda() && !Kernels::have_compiler()
    }

    /// How the VAE decodes.
    pub(crate) fn decode_scheme(&self) -> DecodeScheme {
        self.placement().decoding.scheme
    }

    /// What the way of decoding changed in the result that nobody asked for, and why.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let placement = self.placement();
        let ChosenScheme { scheme, reason } = placement.decoding;
        let why = match (reason, self.options.space) {
            (SchemeReason::Room, _) => "because the device was too full",
            _ if placement.has_relief => "because memory ran out",
            (_, Some(_)) => "as requested of the worker",
            _ if self.options.kernels == KernelUse::On => {
                "because whole frames do not fit the device"
            }
            _ => "because the device has less than 60 GB",
        };
        let tiles = scheme.space.tile_px().filter(|side| {
            reason != SchemeReason::Quality || *side < SpaceTiling::Large.tile_px().unwrap_or(0)
        });
        let tiles = tiles.map(|_| {
            format!("frames were decoded in spatial tiles {why}: the tiles' seams are blended")
        });
        let counted = |count: u8| match count {
            1 => "1 latent frame".to_owned(),
            _ => format!("{count} latent frames"),
        };
        let is_smaller = matches!(reason, SchemeReason::Relief | SchemeReason::Room);
        let chunks = match (scheme.time, scheme.finest) {
            (TimeTiling::Whole, FinestLevel::InSteps(step)) => Some(format!(
                "frames were decoded {} at a time {why}, which changes little",
                counted(step)
            )),
            (TimeTiling::Chunked(chunk), _) => {
                let seams = match chunk.blend_frames() {
                    0 => "nothing fades where they meet",
                    _ => "the chunks fade into each other",
                };
                let length = counted(chunk.latent_frames());
                Some(format!(
                    "frames were decoded in chunks of {length} {why}: {seams}"
                ))
            }
            (TimeTiling::Whole | TimeTiling::Reference, _) => None,
        };
        let chunks = chunks.filter(|_| is_smaller);
        tiles.into_iter().chain(chunks).collect()
    }

    /// Both text encoders.
    pub(crate) fn text(&mut self, bundle: &Bundle) -> Result<&TextEncoders, Error> {
        if self.text.is_none() {
            let placement = self.placement();
            let (bytes, slots) = (placement.text_bytes, placement.text_slots);
            self.make_room(bytes)?;
            let tokenizer = bundle.component(Component::Tokenizer)?;
            let tokenizer_2 = bundle.component(Component::Tokenizer2)?;
            let (memory, kind) = (self.memory.clone(), self.encoder_kind());
            let llama = |source: &ModelSource| Llama::open(source, &memory, kind);
            let clip = |source: &ModelSource| Clip::open(source, memory.device(), kind);
            let llama = self.load(bundle, Component::TextEncoder, llama)?;
            if let Some(slots) = slots {
                let layers = llama.layers();
                layers.place(Residency::once(layers.len(), slots));
            }
            self.text = Some(TextEncoders {
                tokenizers: TextTokenizers::open(&tokenizer, &tokenizer_2)?,
                llama,
                clip: self.load(bundle, Component::TextEncoder2, clip)?,
                device: self.device,
            });
        }
        Ok(self.text.as_ref().expect("loaded above"))
    }

    /// The image encoder.
    pub(crate) fn vision(&mut self, bundle: &Bundle) -> Result<&VisionEncoder, Error> {
        if self.vision.is_none() {
            self.make_room(self.placement().image_bytes)?;
            let (memory, kind) = (self.memory.clone(), self.encoder_kind());
            let siglip = |source: &ModelSource| Siglip::open(source, &memory, kind);
            self.vision = Some(VisionEncoder {
                preprocessor: Preprocessor::read(&bundle.component(Component::FeatureExtractor)?)?,
                siglip: self.load(bundle, Component::ImageEncoder, siglip)?,
                options: (self.encoder_kind(), self.device),
            });
        }
        Ok(self.vision.as_ref().expect("loaded above"))
    }

    /// The VAE.
    pub(crate) fn vae(&mut self, bundle: &Bundle) -> Result<&Vae, Error> {
        let (device, kind) = (self.device, self.vae_kind());
        if self.vae.take_if(|(loaded, _)| *loaded != kind).is_some() {
            tracing::info!(?kind, "loading the VAE in another dtype");
        }
        if self.vae.is_none() {
            self.make_room(self.placement().vae_bytes)?;
            let vae = |source: &ModelSource| Vae::open(source, device, kind);
            let vae = self.load(bundle, Component::Vae, vae)?;
            let vae = match self.options.kernels {
                KernelUse::On => vae.with_kernels(&self.kernels),
                KernelUse::Off => vae,
            };
            self.vae = Some((kind, vae));
        }
        let (_, vae) = self.vae.as_ref().expect("loaded above");
        Ok(vae)
    }

    /// The VAE, with room to decode a section. Blocks of the transformer leave the device for it as far as they
    /// have to, or further if the job says so; nothing is copied, and they come back under the next section's first step.
    pub(crate) fn decoder(&mut self, bundle: &Bundle) -> Result<&Vae, Error> {
        self.vae(bundle)?;
        if let Some(transformer) = &self.transformer
            && self.memory.is_limited()
        {
            transformer.make_room(self.placement(), self.settings.offloading)?;
        }
        self.vae(bundle)
    }

    /// The transformer in `folder`, its blocks where the plan puts them.
    pub(crate) fn transformer(&mut self, folder: &Path) -> Result<&PackedTransformer, Error> {
        Ok(&self.loaded_transformer(folder)?.model)
    }

    /// The conditioning of all steps of a schedule, evaluated now or for an earlier job.
    pub(crate) fn schedule(
        &mut self,
        folder: &Path,
        (sigmas, guidance): (&[f32], Guidance),
        conditioning: Guided<&Conditioning>,
    ) -> Result<Rc<ScheduleConditioning<'static>>, Error> {
        let kind = self.transformer_kind();
        let transformer = self.loaded_transformer(folder)?;
        let model = Sampled {
            transformer: &transformer.model,
            kind,
            guidance,
        };
        Ok(transformer.hoisted.schedule(&model, sigmas, conditioning))
    }

    fn loaded_transformer(&mut self, folder: &Path) -> Result<&mut LoadedTransformer, Error> {
        let (placement, backend) = (self.placement().clone(), self.settings.backend);
        if !placement.is_roomy {
            self.text = None;
            self.vision = None;
        }
        let loaded = self.transformer.take();
        let loaded = match loaded.filter(|loaded| loaded.folder == folder) {
            Some(loaded) => loaded,
            None => self.open_transformer(folder)?,
        };
        let transformer = self.transformer.insert(loaded);
        transformer.place(&placement.transformer, backend)?;
        Ok(transformer)
    }

    fn open_transformer(&self, folder: &Path) -> Result<LoadedTransformer, Error> {
        device::empty_cache();
        tracing::info!(folder = %folder.display(), "loading");
        let source = self.options.source(folder.into());
        let model = PackedTransformer::open(&source, &self.memory, self.transformer_kind())?;
        let model = match self.options.kernels {
            KernelUse::On => model.with_kernels(&self.kernels),
            KernelUse::Off => model,
        };
        Ok(LoadedTransformer {
            folder: folder.into(),
            model,
            hoisted: HoistedCache::default(),
            placed: None,
        })
    }

    /// Makes room for an encoder: whatever is not needed for it leaves the device.
    fn make_room(&mut self, bytes: u64) -> Result<(), Error> {
        if self.placement().is_roomy {
            return Ok(());
        }
        let Self {
            text,
            vision,
            transformer,
            ..
        } = self;
        let evict_transformer = || {
            if let Some(transformer) = transformer {
                transformer.leave_device();
            }
        };
        let evictions: [Box<dyn FnOnce()>; 3] = [
            Box::new(|| *text = None),
            Box::new(|| *vision = None),
            Box::new(evict_transformer),
        ];
        self.memory
            .vram()
            .force_free_vram(bytes, evictions)
            .map(drop)
    }

    /// Where they are put.
    pub(crate) fn placement(&self) -> &Placement {
        let placement = self.placement.as_ref();
        placement.expect("a job's plan is made before its models are used")
    }

    /// Has a test's job done otherwise than planned.
    #[cfg(test)]
    pub(crate) fn change_placement(&mut self, change: impl FnOnce(&mut Placement)) {
        change(self.placement.as_mut().expect("a job is placed"));
    }

    fn load<M>(
        &self,
        bundle: &Bundle,
        component: Component,
        open: impl FnOnce(&ModelSource) -> Result<M, WeightsError>,
    ) -> Result<M, Error> {
        let folder = bundle.component(component)?;
        tracing::info!(folder = %folder.display(), "loading");
        Ok(open(&self.options.source(folder))?)
    }
}
