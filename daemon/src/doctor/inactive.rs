//! What the farm asks for and this version does not carry out; `vae.tensorrt` in any case.

use framepack_ipc::check::{Check, CheckState};
use framepack_jobs::settings::{Farm, TABLE, VAE_TENSORRT};

/// A check for `vae.tensorrt`, and one for each setting of the farm that does nothing.
pub(super) fn inactive(farm: &Farm) -> Vec<Check> {
    let inactive = farm.inactive();
    let of_farm = TABLE.into_iter().filter_map(|row| {
        let value = farm.get(row)?;
        let reason = inactive.reason(row, value)?;
        let origin = farm.origin(row)?;
        let message = format!("{value}, from {origin}, is inactive: {reason}");
        let fix = "nothing has to be done: jobs run without it";
        Some(Check::new(CheckState::Warning, row.key, message, fix))
    });
    let mut checks: Vec<Check> = of_farm.collect();
    if !checks.iter().any(|check| check.name == VAE_TENSORRT.key) {
        checks.push(Check::ok(
            VAE_TENSORRT.key,
            "off; there is no TensorRT in this build, and a job that asks for it is decoded with torch",
        ));
    }
    checks
}
