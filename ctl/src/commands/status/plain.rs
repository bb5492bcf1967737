//! The farm for programs: a line for each thing, cells with tabs between, the first says what the line is about.

use framepack_ipc::{
    farm::{DeviceStatus, FarmStatus, RunningJob},
    text::one_line,
};

use crate::{
    progress::percent,
    rows::{describe, temperature, worker_state},
};

pub(super) fn lines(farm: &FarmStatus) -> Vec<String> {
    let mut lines = vec![line([
        "daemon",
        &farm.version,
        &format!("{:.0}", farm.uptime_secs),
        &farm.running.len().to_string(),
        &farm.queued.to_string(),
    ])];
    let paused = farm.paused.iter();
    lines.extend(paused.map(|reason| line(["paused", reason])));
    let notes = farm.degraded.iter();
    lines.extend(notes.map(|note| line(["degraded", note.code.as_str(), &note.message])));
    lines.extend(farm.devices.iter().map(device));
    let host = farm.host.iter();
    lines.extend(host.map(|host| {
        let (free, total) = (host.free_bytes.to_string(), host.total_bytes.to_string());
        line(["memory", &free, &total])
    }));
    for disk in &farm.disks {
        let bytes = |of: fn(&framepack_ipc::farm::Space) -> u64| {
            disk.space
                .as_ref()
                .map(|space| of(space).to_string())
                .unwrap_or_default()
        };
        let (free, total) = (
            bytes(|space| space.free_bytes),
            bytes(|space| space.total_bytes),
        );
        lines.push(line([
            "disk",
            &disk.folder,
            &free,
            &total,
            &disk.path.display().to_string(),
        ]));
    }
    lines.extend(farm.running.iter().map(running));
    lines.extend(farm.failures.iter().map(|failure| {
        line([
            "failed",
            &failure.id.to_string(),
            failure.code.as_str(),
            &failure.finished_at.to_string(),
            &failure.name,
            &failure.message,
        ])
    }));
    lines
}

/// State, job, memory used and there, temperature, power, how old these figures are, and what it keeps of its models.
fn device(device: &DeviceStatus) -> String {
    let worker = &device.worker;
    let number = |value: Option<f64>| value.map(|value| format!("{value:.0}")).unwrap_or_default();
    let gpu = device.gpu.as_ref();
    line([
        "device",
        &worker.device,
        worker_state(worker.state),
        &device.job.map(|job| job.to_string()).unwrap_or_default(),
        &number(gpu.map(|gpu| gpu.used_bytes as f64)),
        &number(gpu.map(|gpu| gpu.total_bytes as f64)),
        &number(gpu.and_then(|gpu| gpu.temperature_celsius)),
        &number(gpu.and_then(|gpu| gpu.power_watts)),
        &number(gpu.map(|gpu| gpu.age_secs)),
        worker.temperature.map(temperature).unwrap_or_default(),
    ])
}

/// Where it is, how much of it is done, its pace, the seconds that are left, its device and its name.
fn running(job: &RunningJob) -> String {
    let progress = job.progress.as_ref();
    let pace = job.secs_per_step.map(|secs| format!("{secs:.2}"));
    let left = job.left.as_ref().map(|left| format!("{:.0}", left.secs));
    line([
        "running",
        &job.id.to_string(),
        &progress.map_or_else(|| "starting".to_owned(), describe),
        &progress.map(percent).unwrap_or_default().replace(' ', ""),
        &pace.unwrap_or_default(),
        &left.unwrap_or_default(),
        &job.device,
        &job.name,
    ])
}

fn line<const CELLS: usize>(cells: [&str; CELLS]) -> String {
    cells.map(one_line).join("\t")
}
