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
        match (chosen, device) {
            (Some(Self::F16), _) => Kind::Half,
            (Some(Self::Bf16), _) => Kind::BFloat16,
            (None, Device::Cuda(_)) => cuda_default,
            (Some(Self::F32) | None, _) => Kind::Float,
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
