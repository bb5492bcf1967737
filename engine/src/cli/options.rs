//! Options that several commands share.

use std::str::FromStr;

use clap::ValueEnum;
use framepack_engine::{
    device,
    nn::attention::{Backend, Class},
};
use tch::{Device, Kind};

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
    /// Backend of the attention in the transformer's blocks: torch (whichever kernel torch picks), cudnn, flash,
    /// memory-efficient or math
    #[arg(long, value_name = "NAME")]
    attention_backend: Option<Backend>,
}

impl Attention {
    /// The backend that was asked for.
    pub(crate) fn asked(self) -> Option<Backend> {
        self.attention_backend
    }

    /// The backend for attention of this class, which the device must have.
    pub(crate) fn backend(self, device: Device, class: &Class) -> anyhow::Result<Backend> {
        let backend = self.attention_backend.unwrap_or_default();
        backend.require(device, class)?;
        Ok(backend)
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
