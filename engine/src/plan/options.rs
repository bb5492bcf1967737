//! Options for the models: dtypes, tiles, limits.

use std::path::PathBuf;

use framepack_ipc::worker::Precaution;
use framepack_jobs::{MemoryAmount, settings::PRESERVE_GB};
use tch::{Device, Kind};

use super::{limits::Limits, relief::Relief};
use crate::{
    job::Job,
    kernels::KernelUse,
    nn::attention::{AttentionMode, Backend},
    offload::MemoryOptions,
    vae::SpaceTiling,
    weights::ModelSource,
};

/// With so much free memory a device holds all models at once, and with so much in all it decodes without spatial
/// tiles. Upstream draws both lines at 60 GB free; tiles change the result, which may not depend on who else is there.
pub(super) const ROOMY_BYTES: u64 = 60_000_000_000;

/// What departs from the defaults of the device.
#[derive(Debug, Clone, Copy, Default)]
pub struct ModelOptions {
    /// Type that all models compute in.
    pub kind: Option<Kind>,
    /// How the VAE cuts what it decodes along height and width.
    pub space: Option<SpaceTiling>,
    /// What computes the transformer's attention, in jobs that have no checkpoints yet.
    pub attention: Option<Backend>,
    /// What jobs ask of it that do not say.
    pub attention_mode: AttentionMode,
    /// How much memory of device and host may be used.
    pub limits: Limits,
    /// How weights are held, as far as jobs do not say.
    pub memory: MemoryOptions,
    /// What a job does otherwise after it failed.
    pub precaution: Precaution,
    /// Whether the models are computed by the engine's kernels.
    pub kernels: KernelUse,
    /// Makes all weights from this seed, in the sizes that the bundle's `config.json` files say. Nothing that
    /// comes of it may be kept for another seed: such a pipeline gets no state directory.
    pub synthesise: Option<u64>,
    /// Device memory that this process holds and that no model may have: a benchmark's smaller card.
    pub ballast_bytes: u64,
}

impl ModelOptions {
    /// Where the component in `folder` gets its weights from.
    pub(crate) fn source(&self, folder: PathBuf) -> ModelSource {
        match self.synthesise {
            Some(seed) => ModelSource::Synthesised {
                seed,
                config_dir: folder,
            },
            None => ModelSource::Folder(folder),
        }
    }

    /// Type of the transformer: upstream's bf16 on CUDA.
    pub(crate) fn transformer_kind(&self, device: Device) -> Kind {
        self.kind_on(device, Kind::BFloat16)
    }

    /// Type of the VAE and the encoders: upstream's f16 on CUDA.
    pub(crate) fn encoder_kind(&self, device: Device) -> Kind {
        self.kind_on(device, Kind::Half)
    }

    /// Type of the VAE.
    pub(crate) fn vae_kind(&self, device: Device) -> Kind {
        match self.precaution {
            Precaution::None => self.encoder_kind(device),
            Precaution::Numerics => Kind::Float,
        }
    }

    /// How the VAE cuts what it decodes along height and width, if nobody asks for more. On the CPU the choice depends
    /// on nothing, since it changes the result.
    pub(crate) fn space(&self, device: Device, total_bytes: u64) -> SpaceTiling {
        if self.limits.relief.has_spatial_tiles {
            return SpaceTiling::Reference;
        }
        self.space.unwrap_or(match device {
            Device::Cuda(_) => space_tiling_on(total_bytes),
            _ => SpaceTiling::Whole,
        })
    }

    /// Whether that is not for the device to decide.
    pub(super) fn has_forced_space(&self) -> bool {
        self.limits.relief.has_spatial_tiles || self.space.is_some()
    }

    /// What is expected to compute a job's attention before its checkpoints and the device's choices are looked at.
    pub(crate) fn expected_attention(&self, device: Device, mode: AttentionMode) -> Backend {
        match self.attention {
            Some(backend) => backend,
            None if mode.or(self.attention_mode) == AttentionMode::Off && device.is_cuda() => {
                Backend::Math
            }
            None => Backend::Torch,
        }
    }

    /// The same for a job, which gives up so much.
    pub(super) fn for_job(self, job: &Job, relief: Relief) -> Self {
        let memory = &job.settings.memory;
        let preserve = memory.preserve;
        Self {
            limits: Limits {
                preserve_bytes: preserve.map_or(self.limits.preserve_bytes, MemoryAmount::bytes),
                must_preserve: self.limits.must_preserve || job.asks_itself(&PRESERVE_GB),
                load_chunk_bytes: Some(memory.load_chunk_bytes),
                relief,
                ..self.limits
            },
            precaution: job.precaution,
            ..self
        }
    }

    fn kind_on(&self, device: Device, on_cuda: Kind) -> Kind {
        self.kind.unwrap_or(match device {
            Device::Cuda(_) => on_cuda,
            _ => Kind::Float,
        })
    }
}

/// How the VAE cuts frames on a device of that size: the choice changes the result, so it is upstream's.
pub fn space_tiling_on(total_bytes: u64) -> SpaceTiling {
    if total_bytes < ROOMY_BYTES {
        SpaceTiling::Reference
    } else {
        SpaceTiling::Whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn math_is_planned_for_where_it_is_asked_for_on_a_card() {
        use AttentionMode::{Aggressive, Auto, Off, Standard};
        let (cpu, cuda) = (Device::Cpu, Device::Cuda(0));
        let (math, flash) = (Some(Backend::Math), Some(Backend::Flash));
        for (flag, of_worker, of_job, device, expected) in [
            (None, Auto, Auto, cuda, Backend::Torch),
            (None, Auto, Off, cuda, Backend::Math),
            (None, Off, Auto, cuda, Backend::Math),
            (None, Off, Standard, cuda, Backend::Torch),
            (None, Auto, Aggressive, cuda, Backend::Torch),
            (None, Auto, Off, cpu, Backend::Torch),
            (math, Auto, Standard, cuda, Backend::Math),
            (math, Auto, Auto, cpu, Backend::Math),
            (flash, Auto, Off, cuda, Backend::Flash),
        ] {
            let options = ModelOptions {
                attention: flag,
                attention_mode: of_worker,
                ..ModelOptions::default()
            };
            let found = options.expected_attention(device, of_job);
            assert_eq!(found, expected, "{flag:?} {of_worker} {of_job} {device:?}");
        }
    }
}
