//! What memory there is, now.

use tch::Device;

use super::budget::Budget;
use crate::device;

/// What of the memory outside torch's allocator is taken for this process's own context and not for others': the
/// driver does not tell.
const CONTEXT_BYTES: u64 = 800 << 20;

/// Memory of `device` and the host. On the CPU the device is the host.
pub(super) fn budget(device: Device) -> Budget {
    let host_available_bytes = device::host_available_bytes().unwrap_or(0);
    let total_bytes = device::total_bytes(device);
    let Some(driver) = device::driver_stats(device) else {
        let held_bytes = device::host_resident_bytes().unwrap_or(0);
        let free_bytes = (host_available_bytes + held_bytes).min(total_bytes);
        return Budget {
            total_bytes,
            free_bytes,
            foreign_bytes: total_bytes - free_bytes,
            context_bytes: 0,
            host_available_bytes,
        };
    };
    let reserved_bytes = device::allocator_stats(device).map_or(0, |stats| stats.reserved_bytes);
    let used_bytes = total_bytes.saturating_sub(driver.free_bytes + reserved_bytes);
    // The context exists already: whoever asks has opened the device.
    let context_bytes = used_bytes.min(CONTEXT_BYTES);
    Budget {
        total_bytes,
        free_bytes: driver.free_bytes + reserved_bytes + context_bytes,
        foreign_bytes: used_bytes - context_bytes,
        context_bytes: context_bytes + device::CONTEXT_GROWTH_BYTES,
        host_available_bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_the_cpu_the_host_is_the_device() {
        let budget = budget(Device::Cpu);
        assert_eq!(budget.free_bytes + budget.foreign_bytes, budget.total_bytes);
        assert!(budget.free_bytes > device::host_resident_bytes().unwrap() / 2);
        assert_eq!(budget.context_bytes, 0);
    }
}
