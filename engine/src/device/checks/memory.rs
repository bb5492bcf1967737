//! What is known about memory, and memory of the host.

use tch::{Device, Kind, Tensor};

use super::finding::Finding;
use crate::device::{
    counts,
    host::{HostBuffer, HostTensor},
    identity,
};

const MIB: u64 = 1 << 20;
const PROBE_BYTES: u64 = 256 * MIB;

/// Free and total memory; of the host for the CPU.
pub(super) fn information(device: Device) -> Finding {
    let free_bytes = match device {
        Device::Cuda(_) => counts::driver_stats(device).map(|stats| stats.free_bytes),
        _ => counts::host_available_bytes(),
    };
    let free_bytes = free_bytes.ok_or("the system does not report how much memory is free")?;
    let total_bytes = identity::total_bytes(device);
    if free_bytes > total_bytes {
        return Err(format!("{free_bytes} bytes free of {total_bytes}"));
    }
    Ok(Some(format!(
        "{} MiB free of {} MiB",
        free_bytes / MIB,
        total_bytes / MIB
    )))
}

/// Counts what a tensor occupies.
pub(super) fn allocator_statistics(device: Device) -> Finding {
    let Device::Cuda(_) = device else {
        return Ok(None);
    };
    let stats = || counts::allocator_stats(device).ok_or("the allocator has no statistics");
    counts::reset_peak(device);
    let before = stats()?;
    let probe = probe(device);
    let during = stats()?;
    drop(probe);
    let after = stats()?;

    // A block may be a little larger than what it was taken for.
    let counted = during.allocated_bytes - before.allocated_bytes;
    let is_right = (PROBE_BYTES..PROBE_BYTES + 2 * MIB).contains(&counted)
        && during.reserved_bytes >= during.allocated_bytes
        && after.allocated_bytes == before.allocated_bytes
        && after.peak_allocated_bytes >= during.allocated_bytes
        && after.peak_reserved_bytes >= during.reserved_bytes;
    if !is_right {
        return Err(format!(
            "{PROBE_BYTES} bytes were counted from {before:?} to {during:?}, then {after:?}"
        ));
    }
    Ok(Some(format!(
        "{} MiB reserved for {} MiB in use",
        during.reserved_bytes / MIB,
        during.allocated_bytes / MIB
    )))
}

/// Gives memory that nobody uses back to the driver.
pub(super) fn empty_cache(device: Device) -> Finding {
    let Device::Cuda(_) = device else {
        return Ok(None);
    };
    let reserved = || {
        let stats = counts::allocator_stats(device).ok_or("the allocator has no statistics")?;
        Ok::<_, &str>(stats.reserved_bytes)
    };
    drop(probe(device));
    let before = reserved()?;
    counts::empty_cache();
    let returned = before.saturating_sub(reserved()?);
    // Not all of it where other tensors lie in the same pages.
    if returned < PROBE_BYTES / 2 {
        return Err(format!("{returned} bytes of {PROBE_BYTES} came back"));
    }
    Ok(Some(format!("{} MiB returned", returned / MIB)))
}

fn probe(device: Device) -> Tensor {
    Tensor::empty([PROBE_BYTES as i64], (Kind::Uint8, device))
}

/// Memory for weights reaches the device as it was written.
pub(super) fn host_memory(device: Device) -> Finding {
    let mut buffer = HostBuffer::new(64 << 20).map_err(|error| error.to_string())?;
    for (index, byte) in buffer.as_mut_slice().iter_mut().enumerate() {
        *byte = (index % 251) as u8;
    }
    let sent = buffer.tensor(1, buffer.len() - 1);
    let mut there = Tensor::zeros(sent.size(), (Kind::Uint8, device));
    there.copy_(&sent);
    if there.to_device(Device::Cpu) != *HostTensor::over(&buffer.as_slice()[1..]) {
        return Err("the bytes were changed on the way".into());
    }
    Ok(Some(format!("{} MiB read back", buffer.len() as u64 / MIB)))
}
