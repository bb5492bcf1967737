//! NVIDIA's driver, and what streaming weights takes.

use framepack_config::Devices;
use framepack_ipc::check::{Check, CheckState};
use nix::sys::resource::{Resource, getrlimit};

use crate::worker::Circumstances;

pub(super) fn nvidia(devices: &Devices, circumstances: &Circumstances<'_>) -> Vec<Check> {
    let mut checks = vec![circumstances.check(devices)];
    if circumstances.nvidia.module.is_none() {
        return checks;
    }
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
