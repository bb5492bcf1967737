//! Memory of a device. On the CPU there is nothing to ask torch's allocator for: every answer is `None`.

use std::ffi::c_int;

use tch::{Device, Kind, Tensor};

use super::shim;

/// What the driver says about a device's memory, all processes together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryInfo {
    /// Bytes that nobody uses.
    pub free_bytes: u64,
    /// Bytes that the device has.
    pub total_bytes: u64,
}

/// Free and total memory of a CUDA device.
pub fn memory_info(device: Device) -> Option<MemoryInfo> {
    let (free_bytes, total_bytes) = shim::memory_info(cuda_index(device)?)?;
    Some(MemoryInfo {
        free_bytes,
        total_bytes,
    })
}

/// Most bytes that tensors have occupied on a CUDA device since [`reset_peak`].
pub fn peak_bytes(device: Device) -> Option<u64> {
    let index = initialised(device)?;
    shim::peak_bytes(index)
}

/// Starts counting [`peak_bytes`] from what is occupied now.
pub fn reset_peak(device: Device) {
    if let Some(index) = initialised(device) {
        let done = shim::reset_peak(index);
        debug_assert!(
            done,
            "the allocator of an initialised device has statistics"
        );
    }
}

/// Returns memory that torch keeps for reuse to the driver, on all CUDA devices.
pub fn empty_cache() {
    if tch::Cuda::is_available() && !shim::empty_cache() {
        tracing::warn!("torch's allocator did not return its cache");
    }
}

fn cuda_index(device: Device) -> Option<c_int> {
    match device {
        Device::Cuda(index) => c_int::try_from(index).ok(),
        _ => None,
    }
}

/// The allocator has no statistics before the first allocation on a device.
fn initialised(device: Device) -> Option<c_int> {
    let index = cuda_index(device)?;
    drop(Tensor::empty([1], (Kind::Uint8, device)));
    Some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_has_no_device_memory() {
        assert_eq!(memory_info(Device::Cpu), None);
        assert_eq!(peak_bytes(Device::Cpu), None);
        reset_peak(Device::Cpu);
        empty_cache();
    }
}
