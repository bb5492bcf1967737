//! NVIDIA's driver, and what streaming weights takes.

use std::fs;

use framepack_ipc::check::{Check, CheckState};
use nix::sys::resource::{Resource, getrlimit};

/// Where the NVIDIA driver says that it is loaded.
const NVIDIA_DRIVER: &str = "/proc/driver/nvidia/version";

pub(super) fn nvidia() -> Vec<Check> {
    let Ok(version) = fs::read_to_string(NVIDIA_DRIVER) else {
        return vec![Check::ok(
            "nvidia",
            "no driver is loaded: jobs are rendered on the CPU",
        )];
    };
    let mut checks = vec![Check::ok(
        "nvidia",
        version.lines().next().unwrap_or_default(),
    )];
    let locked = getrlimit(Resource::RLIMIT_MEMLOCK).map_or(0, |(soft, _)| soft);
    if locked < 1 << 30 {
        checks.push(Check::new(
            CheckState::Warning,
            "locked memory",
            format!(
                "at most {} KiB may be page-locked: streaming weights will be slow",
                locked >> 10
            ),
            "set LimitMEMLOCK=infinity in the unit, or raise ulimit -l",
        ));
    }
    checks
}
