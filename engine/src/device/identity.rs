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

/// Version of the device's driver, as in `570.133.20`; none on the CPU, or if the system does not tell.
pub(crate) fn driver_version(device: Device) -> Option<String> {
    if !device.is_cuda() {
        return None;
    }
    match fs::read_to_string("/sys/module/nvidia/version") {
        Ok(version) => Some(version.trim().to_owned()),
        Err(_) => version_in(&fs::read_to_string("/proc/driver/nvidia/version").ok()?),
    }
}

/// The driver's version in its own introduction: the first word of numbers and dots.
fn version_in(introduction: &str) -> Option<String> {
    let is_version =
        |word: &&str| word.contains('.') && word.bytes().all(|b| b == b'.' || b.is_ascii_digit());
    let version = introduction.split_whitespace().find(is_version)?;
    Some(version.to_owned())
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
        assert_eq!(driver_version(Device::Cpu), None);
    }

    #[test]
    fn the_drivers_version_is_found_in_either_introduction() {
        for (introduction, version) in [
            (
                "NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.57.02  Tue Jul 13 16:14:05 UTC 2021\n\
                 GCC version:  gcc version 9.3.0 (Ubuntu 9.3.0-17ubuntu1~20.04)\n",
                Some("470.57.02"),
            ),
            (
                "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.133.20  Release Build  (dvs-builder@U16)\n",
                Some("570.133.20"),
            ),
            ("NVRM version: unknown", None),
        ] {
            assert_eq!(
                version_in(introduction).as_deref(),
                version,
                "{introduction}"
            );
        }
    }
}
