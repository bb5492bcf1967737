//! The models of a bundle: loaded when first needed and warm between jobs, as far as the device has room.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tch::{Device, Kind};

use crate::{
    bundle::{Bundle, Component},
    condition::{TextEncoders, VisionEncoder, encode::EncoderFiles},
    device,
    error::Error,
    memory::{
        Memory, MemoryOptions,
        phases::{ROOMY_BYTES, tiling_on},
        plan::Limits,
    },
    text::{Clip, Llama, TextTokenizers},
    transformer::PackedTransformer,
    vae::{Tiling, Vae},
    vision::{Preprocessor, Siglip},
    weights::{ModelSource, WeightsError},
};

/// Most by which weights grow when they are loaded on the CPU: from 2 bytes a number to f32.
const GROWTH_ON_CPU: u64 = 2;

/// What departs from the defaults of the device.
#[derive(Debug, Clone, Copy, Default)]
pub struct ModelOptions {
    /// Type that all models compute in.
    pub kind: Option<Kind>,
    /// How the VAE cuts what it decodes.
    pub tiling: Option<Tiling>,
    /// How much memory of device and host may be used.
    pub limits: Limits,
}

impl ModelOptions {
    /// Type of the transformer: upstream's bf16 on CUDA.
    pub(crate) fn transformer_kind(&self, device: Device) -> Kind {
        self.kind_on(device, Kind::BFloat16)
    }

    /// Type of the VAE and the encoders: upstream's f16 on CUDA.
    pub(crate) fn encoder_kind(&self, device: Device) -> Kind {
        self.kind_on(device, Kind::Half)
    }

    /// How the VAE cuts what it decodes. On the CPU the choice depends on nothing, since it changes the result.
    pub(crate) fn tiling(&self, device: Device, total_bytes: u64) -> Tiling {
        self.tiling.unwrap_or(match device {
            Device::Cuda(_) => tiling_on(total_bytes),
            _ => Tiling::Time,
        })
    }

    fn kind_on(&self, device: Device, on_cuda: Kind) -> Kind {
        self.kind.unwrap_or(match device {
            Device::Cuda(_) => on_cuda,
            _ => Kind::Float,
        })
    }
}

/// The models, of one bundle at a time.
#[derive(Debug)]
pub(crate) struct Models {
    device: Device,
    memory: Memory,
    options: ModelOptions,
    room: Room,
    tiling: Tiling,
    /// With the state of its files.
    bundle: Option<(Bundle, EncoderFiles)>,
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

impl Room {
    /// What fits in the host's memory when the models' files have `stored_bytes`.
    fn on_cpu(stored_bytes: u64, available_bytes: u64) -> Self {
        if stored_bytes.saturating_mul(GROWTH_ON_CPU) <= available_bytes {
            Self::ForAll
        } else {
            Self::ForOnePhase
        }
    }
}

impl Models {
    /// No models yet.
    pub(crate) fn new(device: Device, options: ModelOptions) -> Self {
        // On the CPU the room depends on the bundle.
        let total_bytes = device::memory_info(device).map(|memory| memory.total_bytes);
        let room = match total_bytes {
            Some(total_bytes) if total_bytes < ROOMY_BYTES => Room::ForOnePhase,
            _ => Room::ForAll,
        };
        Self {
            device,
            memory: Memory::new(device, MemoryOptions::default()),
            options,
            room,
            tiling: options.tiling(device, total_bytes.unwrap_or(0)),
            bundle: None,
            text: None,
            vision: None,
            vae: None,
            transformer: None,
        }
    }

    /// Drops all models and returns their memory.
    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.device, self.options);
        device::empty_cache();
    }

    /// Keeps what is loaded only if it is of `bundle` as its files are now. It will be used with the transformer
    /// in a folder.
    pub(crate) fn select(&mut self, bundle: &Bundle, transformer: &Path, files: EncoderFiles) {
        let selected = Some((bundle.clone(), files));
        if self.bundle != selected {
            self.clear();
            self.bundle = selected;
            if let (Device::Cpu, Some(available_bytes)) =
                (self.device, device::host_available_bytes())
            {
                let stored_bytes = stored_bytes(bundle, transformer);
                self.room = Room::on_cpu(stored_bytes, available_bytes);
                tracing::debug!(stored_bytes, available_bytes, room = ?self.room);
            }
        }
    }

    /// Where all models are.
    pub(crate) fn device(&self) -> Device {
        self.device
    }

    /// Type of the transformer.
    pub(crate) fn transformer_kind(&self) -> Kind {
        self.options.transformer_kind(self.device)
    }

    /// Type of the VAE and the encoders.
    pub(crate) fn encoder_kind(&self) -> Kind {
        self.options.encoder_kind(self.device)
    }

    /// How the VAE cuts what it decodes.
    pub(crate) fn tiling(&self) -> Tiling {
        self.tiling
    }

    /// What the device's size changed in the result.
    pub(crate) fn warnings(&self) -> Option<String> {
        (self.tiling == Tiling::TimeAndSpace).then(|| {
            "the device has less than 60 GB: frames were decoded in spatial tiles, which blends their seams".into()
        })
    }

    /// Both text encoders.
    pub(crate) fn text(&mut self, bundle: &Bundle) -> Result<&TextEncoders, Error> {
        if self.text.is_none() {
            self.make_room_for_encoder();
            let tokenizer = bundle.component(Component::Tokenizer)?;
            let tokenizer_2 = bundle.component(Component::Tokenizer2)?;
            let (memory, kind) = (self.memory.clone(), self.encoder_kind());
            let llama = |source: &ModelSource| Llama::open(source, &memory, kind);
            let clip = |source: &ModelSource| Clip::open(source, memory.device(), kind);
            self.text = Some(TextEncoders {
                tokenizers: TextTokenizers::open(&tokenizer, &tokenizer_2)?,
                llama: load(bundle, Component::TextEncoder, llama)?,
                clip: load(bundle, Component::TextEncoder2, clip)?,
                device: self.device,
            });
        }
        Ok(self.text.as_ref().expect("loaded above"))
    }

    /// The image encoder.
    pub(crate) fn vision(&mut self, bundle: &Bundle) -> Result<&VisionEncoder, Error> {
        if self.vision.is_none() {
            self.make_room_for_encoder();
            let (memory, kind) = (self.memory.clone(), self.encoder_kind());
            let siglip = |source: &ModelSource| Siglip::open(source, &memory, kind);
            self.vision = Some(VisionEncoder {
                preprocessor: Preprocessor::read(&bundle.component(Component::FeatureExtractor)?)?,
                siglip: load(bundle, Component::ImageEncoder, siglip)?,
                options: (self.encoder_kind(), self.device),
            });
        }
        Ok(self.vision.as_ref().expect("loaded above"))
    }

    /// The VAE.
    pub(crate) fn vae(&mut self, bundle: &Bundle) -> Result<&Vae, Error> {
        if self.vae.is_none() {
            let (device, kind) = (self.device, self.encoder_kind());
            let vae = |source: &ModelSource| Vae::open(source, device, kind);
            self.vae = Some(load(bundle, Component::Vae, vae)?);
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
            tracing::info!(folder = %folder.display(), "loading");
            let source = ModelSource::Folder(folder.into());
            let model = PackedTransformer::open(&source, &self.memory, self.transformer_kind())?;
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
}

fn load<M>(
    bundle: &Bundle,
    component: Component,
    open: impl FnOnce(&ModelSource) -> Result<M, WeightsError>,
) -> Result<M, Error> {
    let folder = bundle.component(component)?;
    tracing::info!(folder = %folder.display(), "loading");
    Ok(open(&ModelSource::Folder(folder))?)
}

/// Size of the weights' files. A component that is not there counts nothing: loading it will say so.
fn stored_bytes(bundle: &Bundle, transformer: &Path) -> u64 {
    let encoders = [
        Component::TextEncoder,
        Component::TextEncoder2,
        Component::ImageEncoder,
        Component::Vae,
    ];
    let folders = encoders
        .into_iter()
        .filter_map(|component| bundle.component(component).ok());
    folders
        .chain([transformer.to_path_buf()])
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flat_map(Iterator::flatten)
        .filter(|entry| entry.path().extension().is_some_and(|e| e == "safetensors"))
        // The Hub's cache holds links to the files.
        .filter_map(|entry| fs::metadata(entry.path()).ok())
        .map(|file| file.len())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_keeps_all_models_only_where_they_fit_as_f32() {
        assert_eq!(Room::on_cpu(40, 80), Room::ForAll);
        assert_eq!(Room::on_cpu(41, 80), Room::ForOnePhase);
    }

    #[test]
    fn all_weights_of_a_bundle_are_counted() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/bundle");
        let bundle = Bundle::open(&root).unwrap();
        let bytes = |file: &str| fs::metadata(root.join(file)).unwrap().len();
        let expected = bytes("text_encoder/model.safetensors")
            + bytes("text_encoder_2/model.safetensors")
            + bytes("image_encoder/model.safetensors")
            + bytes("vae/diffusion_pytorch_model.safetensors")
            + bytes("transformer/diffusion_pytorch_model.safetensors");
        assert_eq!(stored_bytes(&bundle, &root.join("transformer")), expected);
    }
}
