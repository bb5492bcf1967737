//! Taking times, and printing what was measured.

use std::{
    io::{self, Write as _},
    time::Instant,
};

use serde::Serialize;
use serde_json::Value;
use tch::{Cuda, Device};

/// Prints a measurement: JSON on one line, or each field on a line of its own, and each row of a table.
pub(super) fn print(measurement: &impl Serialize, json: bool) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    let value = serde_json::to_value(measurement)?;
    if json {
        writeln!(stdout, "{value}")?;
    } else if let Some(fields) = value.as_object() {
        for (name, value) in fields {
            let rows = value
                .as_array()
                .filter(|rows| rows.iter().all(Value::is_object));
            for value in rows.unwrap_or(&vec![value.clone()]) {
                writeln!(stdout, "{name:<24} {value}")?;
            }
        }
    }
    Ok(())
}

/// Seconds that `work` takes, until the device has done it.
pub(super) fn timed<T>(
    device: Device,
    work: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<(f64, T)> {
    synchronize(device);
    let start = Instant::now();
    let result = work()?;
    synchronize(device);
    Ok((start.elapsed().as_secs_f64(), result))
}

/// Waits for the device to finish what was given to it.
pub(super) fn synchronize(device: Device) {
    if let Device::Cuda(index) = device {
        Cuda::synchronize(index as i64);
    }
}

/// The middle value, of an even number the lower one.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[(sorted.len() - 1) / 2]
}
