//! Loading of libtorch's CUDA half, and the choice of a device.

use std::sync::OnceLock;

use tch::{Cuda, Device};

use crate::error::Error;

/// Loads libtorch's CUDA half where it is installed beside the CPU half. The first call decides; the binary
/// itself links only the CPU half, so that it starts anywhere.
pub fn init() {
    static LOADED: OnceLock<bool> = OnceLock::new();
    LOADED.get_or_init(|| {
        let loaded = super::shim::load_cuda();
        tracing::debug!(loaded, devices = Cuda::device_count(), "libtorch_cuda");
        loaded
    });
}

/// The device called `cpu`, `cuda` (the first) or `cuda:N`, if it is there.
pub fn open(name: &str) -> Result<Device, Error> {
    init();
    let no_device = |reason: String| Error::NoDevice {
        name: name.into(),
        reason,
    };
    let index = match name.split_once(':') {
        None if name == "cpu" => return Ok(Device::Cpu),
        None if name == "cuda" => 0,
        Some(("cuda", index)) => index
            .parse()
            .map_err(|_| no_device(format!("{index:?} is not a number")))?,
        _ => return Err(no_device("expected cpu or cuda:N".into())),
    };
    let count = usize::try_from(Cuda::device_count()).unwrap_or(0);
    if index < count {
        Ok(Device::Cuda(index))
    } else {
        Err(no_device(format!("this machine has {count} CUDA devices")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_named_cpu_or_cuda_with_a_number() {
        assert_eq!(open("cpu").unwrap(), Device::Cpu);
        for name in ["gpu", "cuda:x", "cuda:-1", "cuda:99", "cpu:0", ""] {
            let error = open(name).unwrap_err().to_string();
            assert!(error.contains(&format!("{name:?}")), "{error}");
        }
    }
}
