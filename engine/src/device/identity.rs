//! A device's label and name, and how much memory it has.

use std::fs;

use tch::Device;

use super::counts::driver_stats;

/// `cpu` or `cuda:N`.
pub fn label(device: Device) -> String {
    match device {
        Device::Cuda(index) => format!("cuda:{index}"),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// The model that its maker names, as far as the system tells.
pub fn model_name(device: Device) -> String {
    let found = match device {
        Device::Cuda(index) => nvidia_model(index),
        _ => value_of("/proc/cpuinfo", "model name"),
    };
    found.unwrap_or_else(|| label(device))
}

/// Memory of the device, in bytes; the host's for the CPU; 0 if the system does not tell.
pub fn total_bytes(device: Device) -> u64 {
    let host_bytes = || {
        let kilobytes = value_of("/proc/meminfo", "MemTotal")?;
        Some(kilobytes.strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
    };
    driver_stats(device)
        .map(|memory| memory.total_bytes)
        .or_else(host_bytes)
        .unwrap_or(0)
}

/// The driver lists its devices in the order of the bus.
fn nvidia_model(index: usize) -> Option<String> {
    let entries = fs::read_dir("/proc/driver/nvidia/gpus").ok()?;
    let mut devices: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    devices.sort();
    value_of(devices.get(index)?.join("information").to_str()?, "Model")
}

/// The value behind `key` in a file of `key: value` lines.
fn value_of(path: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = pairs.find(|(found, _)| found.trim() == key)?;
    Some(value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_has_a_label_a_name_and_memory() {
        assert_eq!(label(Device::Cpu), "cpu");
        assert_eq!(label(Device::Cuda(1)), "cuda:1");
        assert!(!model_name(Device::Cpu).is_empty());
        assert!(total_bytes(Device::Cpu) > 1 << 28);
    }
}
