//! What computes: the device and the program. They decide bits beside a job and its models.

use serde::{Deserialize, Serialize};
use tch::Device;

use crate::{device, weights::Fingerprint};

/// A device and this program.
#[derive(Debug)]
pub(crate) struct Platform {
    pub(crate) device: Device,
    /// Kind of the device, and the model that its maker names: no two round alike.
    pub(crate) name: String,
    /// Version of the device's driver; none on the CPU.
    pub(crate) driver: Option<String>,
    /// Of the program: another build may compute other bits. `None` if its file can't be read.
    pub(crate) build: Option<Fingerprint>,
}

impl Platform {
    /// `device`, with this program.
    pub(crate) fn of(device: Device) -> Self {
        let kind = match device {
            Device::Cuda(_) => "cuda",
            _ => "cpu",
        };
        let program = std::env::current_exe().and_then(|path| Fingerprint::of_file(&path));
        Self {
            device,
            name: format!("{kind} {}", device::model_name(device)),
            driver: device::driver_version(device),
            build: program.ok(),
        }
    }

    /// Version of this program, and a part of the fingerprint of its build.
    pub(crate) fn version(&self) -> String {
        let build = self.build.map_or_else(
            || "unknown".to_owned(),
            |build| {
                let [a, b, c, d, ..] = build.as_ref() else {
                    unreachable!("a fingerprint has 32 bytes");
                };
                format!("{a:02x}{b:02x}{c:02x}{d:02x}")
            },
        );
        format!("{}+{build}", env!("CARGO_PKG_VERSION"))
    }
}

/// Under which circumstances what was found out about a device holds: which attention backends there are, what their
/// bits are and which is the fastest, and what decoding takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Circumstances {
    /// Kind and model.
    device: String,
    /// Version of the device's driver; none on the CPU.
    driver: Option<String>,
    /// Version of this program, and a part of its fingerprint.
    build: String,
    /// Version of libtorch.
    torch: String,
}

impl Circumstances {
    /// Those of `platform`.
    pub(crate) fn of(platform: &Platform) -> Self {
        Self {
            device: platform.name.clone(),
            driver: platform.driver.clone(),
            build: platform.version(),
            torch: device::torch_version().into(),
        }
    }
}
