//! Options that several commands share.

use std::str::FromStr;

use clap::ValueEnum;
use framepack_engine::device;
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
