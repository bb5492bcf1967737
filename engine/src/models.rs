//! The models of a bundle: loaded when first needed and warm between jobs, as far as the device has room.

use std::path::{Path, PathBuf};

use tch::{Device, Kind};

use crate::{
    bundle::{Bundle, Component},
    condition::{TextEncoders, VisionEncoder},
    device,
    error::Error,
    text::{Clip, Llama, TextTokenizers},
    transformer::PackedTransformer,
    vae::{Tiling, Vae},
    vision::{Preprocessor, Siglip},
    weights::{ModelSource, WeightsError},
};

/// Devices with at least this much memory hold all models at once and decode without spatial tiles. Upstream
/// draws the same line, at 60 GB free.
const ROOMY_BYTES: u64 = 60_000_000_000;

/// The models, of one bundle at a time.
#[derive(Debug)]
pub(crate) struct Models {
    device: Device,
    room: Room,
    bundle: Option<Bundle>,
    text: Option<TextEncoders>,
    vision: Option<VisionEncoder>,
    vae: Option<Vae>,
    /// With the folder that it came from.
    transformer: Option<(PathBuf, PackedTransformer)>,
}

/// What fits on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    /// All models at once.
    ForAll,
    /// The transformer with the VAE, or one encoder.
    ForOnePhase,
}

impl Models {
    /// No models yet.
    pub(crate) fn new(device: Device) -> Self {
        let room = match device::memory_info(device) {
            Some(memory) if memory.total_bytes < ROOMY_BYTES => Room::ForOnePhase,
            _ => Room::ForAll,
        };
        Self {
            device,
            room,
            bundle: None,
            text: None,
            vision: None,
            vae: None,
            transformer: None,
        }
    }

    /// Drops all models and returns their memory.
    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.device);
        device::empty_cache();
    }

    /// Keeps what is loaded only if it is of `bundle`.
    pub(crate) fn select(&mut self, bundle: &Bundle) {
        if self.bundle.as_ref() != Some(bundle) {
            self.clear();
            self.bundle = Some(bundle.clone());
        }
    }

    /// Type of the transformer: upstream's bf16 on CUDA.
    pub(crate) fn transformer_kind(&self) -> Kind {
        self.kind(Kind::BFloat16)
    }

    /// Type of the VAE and the encoders: upstream's f16 on CUDA.
    pub(crate) fn encoder_kind(&self) -> Kind {
        self.kind(Kind::Half)
    }

    /// How the VAE cuts what it decodes.
    pub(crate) fn tiling(&self) -> Tiling {
        match self.room {
            Room::ForAll => Tiling::Time,
            Room::ForOnePhase => Tiling::TimeAndSpace,
        }
    }

    /// What the device's size changed in the result.
    pub(crate) fn warnings(&self) -> Option<String> {
        (self.room == Room::ForOnePhase).then(|| {
            "the device has less than 60 GB: frames were decoded in spatial tiles, which blends their seams".into()
        })
    }

    /// Both text encoders.
    pub(crate) fn text(&mut self, bundle: &Bundle) -> Result<&TextEncoders, Error> {
        if self.text.is_none() {
            self.make_room_for_encoder();
            let tokenizer = bundle.component(Component::Tokenizer)?;
            let tokenizer_2 = bundle.component(Component::Tokenizer2)?;
            self.text = Some(TextEncoders {
                tokenizers: TextTokenizers::open(&tokenizer, &tokenizer_2)?,
                llama: self.load(bundle, Component::TextEncoder, Llama::open)?,
                clip: self.load(bundle, Component::TextEncoder2, Clip::open)?,
                device: self.device,
            });
        }
        Ok(self.text.as_ref().expect("loaded above"))
    }

    /// The image encoder.
    pub(crate) fn vision(&mut self, bundle: &Bundle) -> Result<&VisionEncoder, Error> {
        if self.vision.is_none() {
            self.make_room_for_encoder();
            self.vision = Some(VisionEncoder {
                preprocessor: Preprocessor::read(&bundle.component(Component::FeatureExtractor)?)?,
                siglip: self.load(bundle, Component::ImageEncoder, Siglip::open)?,
                options: (self.encoder_kind(), self.device),
            });
        }
        Ok(self.vision.as_ref().expect("loaded above"))
    }

    /// The VAE.
    pub(crate) fn vae(&mut self, bundle: &Bundle) -> Result<&Vae, Error> {
        if self.vae.is_none() {
            self.vae = Some(self.load(bundle, Component::Vae, Vae::open)?);
        }
        Ok(self.vae.as_ref().expect("loaded above"))
    }

    /// The transformer in `folder`.
    pub(crate) fn transformer(&mut self, folder: &Path) -> Result<&PackedTransformer, Error> {
        if self
            .transformer
            .as_ref()
            .is_none_or(|(loaded, _)| loaded != folder)
        {
            self.transformer = None;
            self.make_room_for_transformer();
            let source = ModelSource::Folder(folder.into());
            let model = PackedTransformer::open(&source, self.device, self.transformer_kind())?;
            self.transformer = Some((folder.into(), model));
        }
        Ok(&self.transformer.as_ref().expect("loaded above").1)
    }

    fn make_room_for_encoder(&mut self) {
        if self.room == Room::ForOnePhase {
            self.text = None;
            self.vision = None;
            self.transformer = None;
            device::empty_cache();
        }
    }

    fn make_room_for_transformer(&mut self) {
        if self.room == Room::ForOnePhase {
            self.text = None;
            self.vision = None;
        }
        device::empty_cache();
    }

    fn kind(&self, on_cuda: Kind) -> Kind {
        match self.device {
            Device::Cuda(_) => on_cuda,
            _ => Kind::Float,
        }
    }

    fn load<M>(
        &self,
        bundle: &Bundle,
        component: Component,
        open: impl FnOnce(&ModelSource, Device, Kind) -> Result<M, WeightsError>,
    ) -> Result<M, Error> {
        let source = ModelSource::Folder(bundle.component(component)?);
        Ok(open(&source, self.device, self.encoder_kind())?)
    }
}
