//! How much memory is free and how much is used, as the driver, torch's allocator and the kernel count it.
//!
//! On the CPU there is neither driver nor allocator to ask: their answers are `None`.

use std::ffi::c_int;

use tch::{Device, Kind, Tensor};

use super::shim::{self, AllocatorStats};

/// How much the process's share outside torch's allocator grows once models run: kernels that the driver loads
/// when they are first used, workspaces that libraries allocate themselves.
pub const CONTEXT_GROWTH_BYTES: u64 = 64 << 20;

/// What the driver counts on one device, of all processes together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DriverStats {
    /// Bytes that nobody uses.
    pub free_bytes: u64,
    /// Bytes that the device has.
    pub total_bytes: u64,
}

/// The counts of the driver for a CUDA device.
pub fn driver_stats(device: Device) -> Option<DriverStats> {
    let (free_bytes, total_bytes) = shim::memory_info(cuda_index(device)?)?;
    Some(DriverStats {
        free_bytes,
        total_bytes,
    })
}

/// What can still be allocated on a CUDA device: what nobody uses, and what torch keeps for reuse.
pub fn free_bytes(device: Device) -> Option<u64> {
    let cached_bytes = |stats: AllocatorStats| stats.reserved_bytes - stats.allocated_bytes;
    let nobodys_bytes = driver_stats(device)?.free_bytes;
    Some(nobodys_bytes + allocator_stats(device).map_or(0, cached_bytes))
}

/// Memory of the host that can be used without swapping, as the kernel estimates it; `None` where it does not.
pub fn host_available_bytes() -> Option<u64> {
    entry_bytes(
        &std::fs::read_to_string("/proc/meminfo").ok()?,
        "MemAvailable:",
    )
}

/// Memory of the host that this process occupies.
pub(crate) fn host_resident_bytes() -> Option<u64> {
    entry_bytes(
        &std::fs::read_to_string("/proc/self/status").ok()?,
        "VmRSS:",
    )
}

/// An entry of one of the kernel's tables, which count in kibibytes.
fn entry_bytes(table: &str, name: &str) -> Option<u64> {
    let line = table.lines().find_map(|line| line.strip_prefix(name))?;
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
pub(crate) fn cuda_index(device: Device) -> Option<c_int> {
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
        assert_eq!(entry_bytes(table, "MemAvailable:"), Some(20_480_000_000));
        assert_eq!(entry_bytes("MemTotal: 1 kB\n", "MemAvailable:"), None);
    }

    #[test]
    fn the_cpu_has_no_device_memory() {
        assert_eq!(driver_stats(Device::Cpu), None);
        assert_eq!(free_bytes(Device::Cpu), None);
        assert_eq!(allocator_stats(Device::Cpu), None);
        assert_eq!(peak_bytes(Device::Cpu), None);
        reset_peak(Device::Cpu);
        empty_cache();
    }
}
