//! Which devices get a worker.

use std::{fs, path::Path};

/// Where the NVIDIA driver lists its devices.
const NVIDIA_GPUS: &str = "/proc/driver/nvidia/gpus";

/// Every CUDA device when an NVIDIA driver is loaded, else the CPU.
pub(crate) fn detect() -> Vec<String> {
    detect_in(Path::new(NVIDIA_GPUS))
}

fn detect_in(gpus: &Path) -> Vec<String> {
    match fs::read_dir(gpus).map_or(0, Iterator::count) {
        0 => vec!["cpu".to_owned()],
        gpus => (0..gpus).map(|index| format!("cuda:{index}")).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_device_for_each_gpu_of_the_driver_else_the_cpu() {
        let driver = tempfile::tempdir().unwrap();
        assert_eq!(detect_in(&driver.path().join("gpus")), ["cpu"]);
        assert_eq!(detect_in(driver.path()), ["cpu"]);
        fs::create_dir(driver.path().join("0000:01:00.0")).unwrap();
        fs::create_dir(driver.path().join("0000:02:00.0")).unwrap();
        assert_eq!(detect_in(driver.path()), ["cuda:0", "cuda:1"]);
    }
}
