//! The farm at a glance: the daemon, its devices, what runs, what waits, and what went wrong lately.
//!
//! The answer waits for no driver and no share. What they told last is in it, with its age.

use std::path::PathBuf;

use framepack_jobs::{AnyCode, JobId, Progress, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    estimate::{Estimate, Moment},
    status::{Note, Outage, WorkerStatus},
};

/// The farm as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FarmStatus {
    /// Version of the daemon.
    pub version: String,
    /// When the daemon started.
    pub up_since: Timestamp,
    /// Seconds since then.
    pub uptime_secs: f64,
    /// Why no job begins, while that is so.
    pub paused: Option<String>,
    /// What does not work as it should, though the daemon goes on.
    pub degraded: Vec<Note>,
    /// What jobs wait for until the farm is mended; `degraded` has it, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outages: Vec<Outage>,
    /// The devices that have a worker.
    pub devices: Vec<DeviceStatus>,
    /// The machine's memory, where the system tells.
    pub host: Option<HostMemory>,
    /// Jobs that run.
    pub running: Vec<RunningJob>,
    /// Jobs that wait.
    pub queued: u64,
    /// How long until the last job that may begin has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain: Option<Estimate>,
    /// The latest failures of the last 24 hours, the latest first.
    pub failures: Vec<RecentFailure>,
    /// The folders that jobs write to.
    pub disks: Vec<FolderSpace>,
}

/// A device, its worker and the job that it renders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeviceStatus {
    /// Its worker; in JSON, these fields stand beside the others.
    #[serde(flatten)]
    pub worker: WorkerStatus,
    /// The job that it renders.
    pub job: Option<JobId>,
    /// What its driver told last; `None`: no driver tells of it.
    pub gpu: Option<GpuFigures>,
}

/// Figures of a GPU. What it does not tell is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GpuFigures {
    /// Its memory.
    pub total_bytes: u64,
    /// Memory in use.
    pub used_bytes: u64,
    /// Memory that others than the daemon's workers use.
    pub foreign_bytes: Option<u64>,
    /// Temperature.
    pub temperature_celsius: Option<f64>,
    /// Power.
    pub power_watts: Option<f64>,
    /// How long ago the driver told this.
    pub age_secs: f64,
}

/// Memory of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostMemory {
    /// All of it.
    pub total_bytes: u64,
    /// What programs can have of it without swapping.
    pub free_bytes: u64,
}

/// A running job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunningJob {
    /// Its number.
    pub id: JobId,
    /// Its name.
    pub name: String,
    /// The device that renders it.
    pub device: String,
    /// When its worker was told.
    pub started_at: Timestamp,
    /// It stands still until it is resumed.
    pub paused: bool,
    /// Where it is, once its worker has told.
    pub progress: Option<Progress>,
    /// How long its steps take, measured; `None` before two were seen.
    pub secs_per_step: Option<f64>,
    /// How long it will still take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Estimate>,
    /// When it will end, or why nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Moment>,
}

/// A job that has failed lately.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentFailure {
    /// The job.
    pub id: JobId,
    /// Its name.
    pub name: String,
    /// Stable code; in JSON with who is at `fault`.
    #[serde(flatten)]
    pub code: AnyCode,
    /// What failed, where, with which values. Lower case, no trailing dot.
    pub message: String,
    /// When.
    pub finished_at: Timestamp,
}

/// A folder's file system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FolderSpace {
    /// What the folder is for: `outputs` or `state`.
    pub folder: String,
    /// Its path.
    pub path: PathBuf,
    /// What its share told last; `None`: nothing yet.
    pub space: Option<Space>,
}

/// Space of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Space {
    /// All of it.
    pub total_bytes: u64,
    /// What the daemon may still write.
    pub free_bytes: u64,
    /// How long ago this was told.
    pub age_secs: f64,
}

impl FarmStatus {
    /// Top-level keys of its JSON.
    pub const FIELDS: [&str; 13] = [
        "version",
        "up_since",
        "uptime_secs",
        "paused",
        "degraded",
        "outages",
        "devices",
        "host",
        "running",
        "queued",
        "drain",
        "failures",
        "disks",
    ];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::WorkerState;

    #[test]
    fn a_device_has_its_workers_fields_beside_its_own() {
        let device = DeviceStatus {
            worker: WorkerStatus {
                device: "cuda:0".to_owned(),
                device_name: None,
                state: WorkerState::Busy,
                note: None,
                temperature: None,
                outage: None,
            },
            job: Some(JobId(7)),
            gpu: None,
        };
        let json = serde_json::to_value(&device).unwrap();
        assert_eq!(json["state"], "busy");
        assert_eq!(json["job"], 7);
        assert_eq!(
            serde_json::from_value::<DeviceStatus>(json).unwrap(),
            device
        );
    }
}
