//! Which devices get a worker, and a supervisor for each of them.

use std::{fs, path::Path};

use framepack_config::Devices;

use super::{
    questions::Planners,
    supervisor::{Supervisor, SupervisorContext},
    switch::Switches,
};

/// Where the NVIDIA driver lists its devices.
const NVIDIA_GPUS: &str = "/proc/driver/nvidia/gpus";

/// One supervisor for each configured device, and the ways to their workers.
pub(crate) fn supervisors(
    context: &SupervisorContext<'_>,
) -> (Vec<Supervisor>, Planners, Switches) {
    let devices = match &context.config.worker.devices {
        Devices::Auto => detect(),
        Devices::Listed(devices) => devices.iter().map(ToString::to_string).collect(),
    };
    let (planners, questions) = Planners::new(devices.iter().map(String::as_str));
    let (switches, sides) = Switches::new(devices.iter().map(String::as_str));
    let supervisors = devices.into_iter().zip(questions.into_iter().zip(sides));
    let supervisors = supervisors
        .map(|(device, (questions, switch))| Supervisor::new(context, device, questions, switch))
        .collect();
    (supervisors, planners, switches)
}

/// Every CUDA device when an NVIDIA driver is loaded, else the CPU.
fn detect() -> Vec<String> {
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
