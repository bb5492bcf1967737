//! Devices that workers run on.

use std::{fmt, str::FromStr};

use framepack_yaml::{Mistake, Node};
use serde::{Serialize, Serializer};

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

/// Not a device, or no list of devices.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDevices {
    /// Not a device.
    #[error("`{0}` is not a device; expected cpu or cuda:N")]
    Name(String),
    /// More than one worker would share it.
    #[error("`{0}` is listed twice; each device has one worker")]
    Twice(Device),
}

impl Devices {
    /// These, if each is there once.
    fn listed(devices: Vec<Device>) -> Result<Self, InvalidDevices> {
        let twice = (1..devices.len()).find(|&i| devices[..i].contains(&devices[i]));
        match twice {
            Some(i) => Err(InvalidDevices::Twice(devices[i])),
            None => Ok(Self::Listed(devices)),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

impl FromStr for Device {
    type Err = InvalidDevices;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| text.strip_prefix("cuda:")?.parse().ok();
        match text {
            "cpu" => Ok(Self::Cpu),
            other => number(other)
                .map(Self::Cuda)
                .ok_or_else(|| InvalidDevices::Name(other.to_owned())),
        }
    }
}

impl Devices {
    /// `auto`, a device, or a list of devices.
    pub(crate) fn read(node: &Node) -> Result<Self, Mistake> {
        let texts = node.texts()?;
        if texts == ["auto"] {
            return Ok(Self::Auto);
        }
        let devices: Result<Vec<Device>, _> = texts.into_iter().map(str::parse).collect();
        devices
            .and_then(Self::listed)
            .map_err(|error| Mistake::out_of_range(error.to_string()))
    }
}

impl Serialize for Devices {
    /// As they are written in the configuration.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::Listed(devices) => {
                serializer.collect_seq(devices.iter().map(ToString::to_string))
            }
        }
    }
}
