//! Under which circumstances a choice holds.

use serde::{Deserialize, Serialize};

use crate::{device, platform::Platform};

/// What decides which backends there are, what their bits are, and which is the fastest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Circumstances {
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
    pub(super) fn of(platform: &Platform) -> Self {
        Self {
            device: platform.name.clone(),
            driver: platform.driver.clone(),
            build: platform.version(),
            torch: device::torch_version().into(),
        }
    }
}
