//! What NVIDIA's management library says of the GPUs: memory, temperature, power, energy, and who else uses them.
//!
//! Without the library, as on machines without an NVIDIA driver, there are no GPUs to report on. A thread of its own
//! asks, since a driver in trouble may not answer.

use std::{
    env,
    ffi::OsStr,
    fs,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use nvml_wrapper::{
    Nvml, enum_wrappers::device::TemperatureSensor, enums::device::UsedGpuMemory, error::NvmlError,
};
use tracing::{debug, info};

/// Time between two looks.
const PAUSE: Duration = Duration::from_secs(5);
/// The library's name where only the driver is installed, without development files.
const LIBRARY: &str = "libnvidia-ml.so.1";

/// The GPUs as they were when they were last looked at; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gpus(Arc<Mutex<Vec<Gpu>>>);

/// One GPU. What it does not tell is `None`.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Gpu {
    /// The driver's number for it.
    pub(crate) index: u32,
    pub(crate) uuid: String,
    pub(crate) name: String,
    pub(crate) total_bytes: u64,
    pub(crate) used_bytes: u64,
    /// What processes other than the daemon's workers hold; `None` where processes can't be told apart.
    pub(crate) foreign_bytes: Option<u64>,
    pub(crate) temperature_celsius: Option<f64>,
    pub(crate) power_watts: Option<f64>,
    /// Since the driver was loaded.
    pub(crate) energy_joules: Option<f64>,
}

impl Gpus {
    /// Looks every few seconds from now on, if there is anything to look at.
    pub(crate) fn watch() -> Self {
        let gpus = Self::default();
        let nvml = Nvml::builder()
            .lib_path(OsStr::new(LIBRARY))
            .init()
            .or_else(|_| Nvml::init());
        match nvml {
            Ok(nvml) => {
                info!("found NVIDIA's management library");
                gpus.set(look(&nvml));
                let latest = gpus.clone();
                let watcher = thread::Builder::new().name("gpus".to_owned());
                // Without the thread the metrics stay as they were.
                let _ = watcher.spawn(move || {
                    loop {
                        thread::sleep(PAUSE);
                        latest.set(look(&nvml));
                    }
                });
            }
            Err(error) => debug!(%error, "no NVIDIA GPUs to report on"),
        }
        gpus
    }

    pub(crate) fn latest(&self) -> Vec<Gpu> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The GPU that a worker knows as `cuda:N`.
    pub(crate) fn of_device(&self, device: &str) -> Option<Gpu> {
        let visible = env::var("CUDA_VISIBLE_DEVICES").ok();
        let wanted = named(device, visible.as_deref())?;
        self.latest().into_iter().find(|gpu| {
            wanted.parse() == Ok(gpu.index) || (!wanted.is_empty() && gpu.uuid.starts_with(&wanted))
        })
    }

    fn set(&self, gpus: Vec<Gpu>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = gpus;
    }
}

/// The driver's number or identifier of `cuda:N`: the N-th that CUDA may see. Workers are told to number GPUs by their
/// place on the bus, as the driver does.
fn named(device: &str, visible: Option<&str>) -> Option<String> {
    let number: usize = device.strip_prefix("cuda:")?.parse().ok()?;
    match visible {
        None => Some(number.to_string()),
        Some(list) => list
            .split(',')
            .nth(number)
            .map(|name| name.trim().to_owned()),
    }
}

fn look(nvml: &Nvml) -> Vec<Gpu> {
    let count = nvml.device_count().unwrap_or_default();
    let ours = ours();
    // One that fails, as a GPU that fell off the bus does, leaves the others.
    (0..count)
        .filter_map(|index| look_at(nvml, index, ours.as_deref()).ok())
        .collect()
}

fn look_at(nvml: &Nvml, index: u32, ours: Option<&[u32]>) -> Result<Gpu, NvmlError> {
    let device = nvml.device_by_index(index)?;
    let memory = device.memory_info()?;
    let held = |pids: &[u32]| -> Option<u64> {
        let processes = device.running_compute_processes().ok()?;
        let others = processes
            .iter()
            .filter(|process| !pids.contains(&process.pid));
        others
            .map(|process| match process.used_gpu_memory {
                UsedGpuMemory::Used(bytes) => Some(bytes),
                UsedGpuMemory::Unavailable => None,
            })
            .sum()
    };
    Ok(Gpu {
        index,
        uuid: device.uuid()?,
        name: device.name()?,
        total_bytes: memory.total,
        used_bytes: memory.used,
        foreign_bytes: ours.and_then(held),
        temperature_celsius: device
            .temperature(TemperatureSensor::Gpu)
            .ok()
            .map(f64::from),
        power_watts: device
            .power_usage()
            .ok()
            .map(|milliwatts| f64::from(milliwatts) / 1e3),
        energy_joules: device
            .total_energy_consumption()
            .ok()
            .map(|millijoules| millijoules as f64 / 1e3),
    })
}

/// The first namespace of processes: in another one, the driver's numbers are not those that we see.
const FIRST_NAMESPACE: &str = "pid:[4026531836]";

/// This process and its children, which are the workers; `None` where the driver numbers processes differently.
fn ours() -> Option<Vec<u32>> {
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    if namespace.as_os_str() != FIRST_NAMESPACE {
        return None;
    }
    let me = std::process::id();
    let mut pids = vec![me];
    for task in fs::read_dir("/proc/self/task").ok()?.flatten() {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        pids.extend(
            children
                .split_whitespace()
                .filter_map(|pid| pid.parse::<u32>().ok()),
        );
    }
    Some(pids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_numbered_as_cuda_sees_them() {
        assert_eq!(named("cuda:1", None).as_deref(), Some("1"));
        assert_eq!(named("cuda:1", Some("3, 2")).as_deref(), Some("2"));
        assert_eq!(
            named("cuda:0", Some("GPU-12ab")).as_deref(),
            Some("GPU-12ab")
        );
        assert_eq!(named("cuda:2", Some("0,1")), None);
        assert_eq!(named("cpu", None), None);
    }

    #[test]
    fn a_device_is_found_by_number_and_by_identifier() {
        let gpus = Gpus::default();
        gpus.set(vec![Gpu {
            index: 0,
            uuid: "GPU-12ab".to_owned(),
            ..Gpu::default()
        }]);
        assert_eq!(gpus.of_device("cpu"), None);
        assert_eq!(gpus.of_device("cuda:0").map(|gpu| gpu.index), Some(0));
        assert_eq!(gpus.of_device("cuda:1"), None);
    }

    #[test]
    fn without_the_library_there_are_no_gpus() {
        if Nvml::init().is_err()
            && Nvml::builder()
                .lib_path(OsStr::new(LIBRARY))
                .init()
                .is_err()
        {
            assert_eq!(Gpus::watch().latest(), []);
        } else {
            assert!(!Gpus::watch().latest().is_empty());
        }
    }
}
