//! Devices that workers run on.

use std::{fmt, str::FromStr};

/// One device; a worker owns exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Device {
    /// The processor.
    Cpu,
    /// A CUDA device by number.
    Cuda(u32),
}

/// `worker.devices`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Devices {
    /// Every CUDA device that the driver shows; the processor if there is none.
    #[default]
    Auto,
    /// These, one worker each.
    Listed(Vec<Device>),
}

/// Not a device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a device; there are cpu and cuda:N")]
pub struct UnknownDevice(String);

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

impl FromStr for Device {
    type Err = UnknownDevice;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| text.strip_prefix("cuda:")?.parse().ok();
        match text {
            "cpu" => Ok(Self::Cpu),
            other => number(other)
                .map(Self::Cuda)
                .ok_or_else(|| UnknownDevice(other.to_owned())),
        }
    }
}

impl FromStr for Devices {
    type Err = UnknownDevice;

    /// `auto`, or devices with commas between.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let devices: Result<_, _> = text.split(',').map(|part| part.trim().parse()).collect();
        devices.map(Self::Listed)
    }
}
