//! Memory of a device. On the CPU there is nothing to ask torch's allocator for: every answer is `None`.

use std::ffi::c_int;

use tch::{Device, Kind, Tensor};

use super::shim::{self, AllocatorStats};

/// How much the process's share outside torch's allocator grows once models run: kernels that the driver loads
/// when they are first used, workspaces that libraries allocate themselves.
pub const CONTEXT_GROWTH_BYTES: u64 = 64 << 20;

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

/// Memory of the host that can be used without swapping, as the kernel estimates it; `None` where it does not.
pub fn host_available_bytes() -> Option<u64> {
    available_bytes(&std::fs::read_to_string("/proc/meminfo").ok()?)
}

/// `MemAvailable` of `/proc/meminfo`, which counts in kibibytes.
fn available_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// The counts of torch's allocator on a CUDA device.
pub fn allocator_stats(device: Device) -> Option<AllocatorStats> {
    let index = initialised(device)?;
    shim::allocator_stats(index)
}

/// Most bytes that tensors have occupied on a CUDA device since [`reset_peak`].
pub fn peak_bytes(device: Device) -> Option<u64> {
    Some(allocator_stats(device)?.peak_allocated_bytes)
}

/// Starts counting the peaks of [`allocator_stats`] from what is occupied now.
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

/// Number of a CUDA device; `None` for the CPU.
pub(super) fn cuda_index(device: Device) -> Option<c_int> {
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
    fn available_memory_is_read_from_the_kernels_table() {
        let table = "MemTotal:       24623176 kB\nMemAvailable:   20000000 kB\n";
        assert_eq!(available_bytes(table), Some(20_480_000_000));
        assert_eq!(available_bytes("MemTotal: 1 kB\n"), None);
    }

    #[test]
    fn the_cpu_has_no_device_memory() {
        assert_eq!(memory_info(Device::Cpu), None);
        assert_eq!(allocator_stats(Device::Cpu), None);
        assert_eq!(peak_bytes(Device::Cpu), None);
        reset_peak(Device::Cpu);
        empty_cache();
    }
}
