//! Options that several commands share.

use std::{path::PathBuf, rc::Rc, str::FromStr};

use clap::ValueEnum;
use framepack_engine::{
    KernelUse, Kernels,
    device::{self, PermittedKernels},
    error::Error,
    nn::attention::{AttentionMode, Backend, Class, Resolved, by_hand},
    transformer::PackedTransformer,
    vae::Vae,
};
use framepack_jobs::settings::ATTENTION;
use tch::{Device, Kind};

use super::split::Switch;

/// Type that a model computes in.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Dtype {
    F32,
    F16,
    Bf16,
}

impl Dtype {
    /// The chosen type; by default f32 on the CPU and `cuda_default`, upstream's choice, on CUDA.
    pub(crate) fn or_default(chosen: Option<Self>, device: Device, cuda_default: Kind) -> Kind {
        chosen.map_or_else(
            || match device {
                Device::Cuda(_) => cuda_default,
                _ => Kind::Float,
            },
            Self::kind,
        )
    }

    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::F32 => Kind::Float,
            Self::F16 => Kind::Half,
            Self::Bf16 => Kind::BFloat16,
        }
    }
}

/// What computes the transformer's attention.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Attention {
    /// How the attention in the transformer's blocks is computed: auto (what the device keeps), off (math), standard
    /// (memory-efficient, else flash) or aggressive (the fastest of cudnn, flash and memory-efficient that computes what
    /// math does); on a processor always torch's own kernel [default: auto]
    #[arg(
        long = "attention",
        value_name = "MODE",
        conflicts_with = "attention_backend"
    )]
    mode: Option<AttentionMode>,
    /// Backend of that attention, whatever the mode: torch (whichever kernel torch picks), cudnn, flash,
    /// memory-efficient or math
    #[arg(long, value_name = "NAME")]
    attention_backend: Option<Backend>,
}

impl Attention {
    /// The backend that was asked for.
    pub(crate) fn asked(self) -> Option<Backend> {
        self.attention_backend
    }

    /// The mode that was asked for.
    pub(crate) fn mode(self) -> AttentionMode {
        self.mode.unwrap_or_default()
    }

    /// The backend for attention of this class: the one that was asked for, which the device must have, or what the mode
    /// comes to without a file of choices.
    pub(crate) fn resolve(self, device: Device, class: &Class) -> anyhow::Result<Resolved> {
        let resolved = match self.attention_backend {
            Some(backend) => {
                backend.require(device, class)?;
                backend.into()
            }
            None => by_hand(self.mode(), device, class)?,
        };
        if let Some(lack) = &resolved.lack {
            anyhow::bail!(Error::not_possible(&ATTENTION, self.mode(), lack));
        }
        let Resolved {
            backend, reason, ..
        } = &resolved;
        tracing::info!(%backend, mode = %self.mode(), reason, "attention");
        Ok(resolved)
    }
}

/// Fused kernels of attention that may be used, by all models of the process.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct AttentionSwitches {
    /// Whether the flash kernel may be used, and on a processor torch's own kernel; off: by nothing, torch's own choice
    /// included
    #[arg(
        long,
        value_name = "on|off",
        default_value = "on",
        hide_possible_values = true,
        global = true
    )]
    flash_sdp: Switch,
    /// Whether xformers' memory-efficient kernel may be used; off: by nothing, torch's own choice included
    #[arg(
        long,
        value_name = "on|off",
        default_value = "on",
        hide_possible_values = true,
        global = true
    )]
    mem_efficient_sdp: Switch,
}

impl AttentionSwitches {
    /// Turns off what is to be off, for this process.
    pub(crate) fn turn(self) {
        let kernels = PermittedKernels {
            flash: self.flash_sdp == Switch::On,
            memory_efficient: self.mem_efficient_sdp == Switch::On,
        };
        if kernels != PermittedKernels::ALL {
            kernels.enforce();
        }
    }
}

/// Whether the engine's kernels compute.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct KernelSwitch {
    /// Whether the model is computed by the engine's kernels; off: by torch's operations in the reference's order, bit for
    /// bit
    #[arg(
        long,
        value_name = "on|off",
        default_value = "on",
        hide_possible_values = true
    )]
    kernels: Switch,
}

impl KernelSwitch {
    /// As the models take it.
    pub(crate) fn kernel_use(self) -> KernelUse {
        match self.kernels {
            Switch::On => KernelUse::On,
            Switch::Off => KernelUse::Off,
        }
    }
}

/// The engine's kernels, for models that are run by hand.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ModelKernels {
    #[command(flatten)]
    switch: KernelSwitch,
    /// Keep compiled kernels in FOLDER for the next run [default: they are compiled by each]
    #[arg(long, value_name = "FOLDER")]
    kernel_folder: Option<PathBuf>,
}

impl ModelKernels {
    /// As plans take it.
    pub(crate) fn kernel_use(&self) -> KernelUse {
        self.switch.kernel_use()
    }

    /// The transformer, computed like that on its device.
    pub(crate) fn transformer(
        &self,
        model: PackedTransformer,
        device: Device,
    ) -> PackedTransformer {
        match self.kernel_use() {
            KernelUse::On => model.with_kernels(&self.kernels(device)),
            KernelUse::Off => model,
        }
    }

    /// The VAE, computed like that on its device.
    pub(crate) fn vae(&self, vae: Vae, device: Device) -> Vae {
        match self.kernel_use() {
            KernelUse::On => vae.with_kernels(&self.kernels(device)),
            KernelUse::Off => vae,
        }
    }

    fn kernels(&self, device: Device) -> Rc<Kernels> {
        Rc::new(match &self.kernel_folder {
            Some(folder) => Kernels::kept_in(device, folder),
            None => Kernels::new(device),
        })
    }
}

/// `cpu` or `cuda:N`.
#[derive(Debug, Clone)]
pub(crate) struct DeviceName(String);

impl DeviceName {
    /// Loads what the device needs and checks that it answers.
    pub(crate) fn open(&self) -> anyhow::Result<Device> {
        Ok(device::open(&self.0)?)
    }
}

impl FromStr for DeviceName {
    type Err = std::convert::Infallible;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Ok(Self(name.into()))
    }
}
