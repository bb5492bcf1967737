//! Which versions run where, and within which limits.

use std::{collections::BTreeMap, path::PathBuf};

use framepack_jobs::StateName;
use serde::{Deserialize, Serialize};

/// What there is to know about a daemon that does not change from job to job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FarmInfo {
    /// Version of the daemon.
    pub version: String,
    /// [`CONTROL_PROTOCOL`](crate::control::CONTROL_PROTOCOL) of the daemon.
    pub protocol: u32,
    /// Its protocol with workers.
    pub worker_protocol: u32,
    /// Its process.
    pub pid: u32,
    /// Seconds since its start.
    pub uptime_secs: f64,
    /// The kernel and the machine it runs on.
    pub system: String,
    /// Version of NVIDIA's driver; `None`: none is loaded.
    pub driver: Option<String>,
    /// What each device's worker said when it became ready.
    pub workers: Vec<WorkerProgram>,
    /// Where its files are.
    pub paths: FarmPaths,
    /// Jobs in each state.
    pub jobs: BTreeMap<StateName, u64>,
    /// What it takes at most.
    pub limits: FarmLimits,
}

/// A worker's program, as it introduced itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerProgram {
    /// `cpu` or `cuda:N`.
    pub device: String,
    /// The device's name.
    pub device_name: String,
    /// Memory of the device.
    pub device_total_bytes: u64,
    /// Version of the worker.
    pub version: String,
    /// Version of libtorch; `None`: the worker does not tell.
    pub libtorch: Option<String>,
}

/// Where a daemon's files are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FarmPaths {
    /// The daemon's program.
    pub daemon: PathBuf,
    /// The worker's program.
    pub worker: PathBuf,
    /// The socket.
    pub socket: PathBuf,
    /// The watched folder.
    pub jobs: PathBuf,
    /// Finished videos.
    pub outputs: PathBuf,
    /// The daemon's own files.
    pub state: PathBuf,
    /// Folders that start images must be in.
    pub inputs: Vec<PathBuf>,
    /// The models.
    pub bundle: PathBuf,
}

/// What a daemon takes at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FarmLimits {
    /// Jobs that may be queued or running at a time.
    pub jobs: u64,
    /// A job file.
    pub job_file_bytes: u64,
    /// A request.
    pub request_bytes: u64,
    /// A response.
    pub response_bytes: u64,
    /// Connections of all users.
    pub connections: u64,
    /// Connections of one user.
    pub connections_per_user: u64,
    /// Requests of one user in a second, after as many at once.
    pub requests_per_sec: u64,
    /// Disk space that stays free beside what jobs need.
    pub disk_reserve_bytes: u64,
}

impl FarmInfo {
    /// Top-level keys of its JSON.
    pub const FIELDS: [&str; 11] = [
        "version",
        "protocol",
        "worker_protocol",
        "pid",
        "uptime_secs",
        "system",
        "driver",
        "workers",
        "paths",
        "jobs",
        "limits",
    ];
}
