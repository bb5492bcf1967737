//! The settings as the daemon uses them: complete, absolute, valid.

use std::path::PathBuf;

use crate::{
    Devices, Disk, IdleLimit, Keep, MemoryAmount, QueueLimits, Retention, SocketRoles, Spool,
};

/// Everything that framepackd can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Folders and the socket.
    pub paths: Paths,
    /// Model bundles.
    pub models: Models,
    /// Worker processes.
    pub worker: Worker,
    /// Memory of device and host.
    pub memory: Memory,
    /// What workers without jobs give up.
    pub idle: Idle,
    /// The jobs folder.
    pub spool: Spool,
    /// How many jobs there may be.
    pub queue: QueueLimits,
    /// Space that is left free.
    pub disk: Disk,
    /// How long what was put away stays where it is.
    pub retention: Retention,
    /// How long jobs that have ended leave something in the state directory.
    pub keep: Keep,
    /// Who may use the socket, and for what.
    pub socket: SocketRoles,
    /// Figures for a monitoring system.
    pub metrics: Metrics,
}

/// `paths`. All absolute, as far as the configuration file's own path was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The watched folder.
    pub jobs: PathBuf,
    /// Store, previews, locks.
    pub state: PathBuf,
    /// Finished videos.
    pub outputs: PathBuf,
    /// The Unix socket.
    pub socket: PathBuf,
    /// Folders beneath which input files must lie; the jobs folder by default.
    pub inputs: Vec<PathBuf>,
}

/// `models`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Models {
    /// Model bundle in the Hub's layout.
    pub bundle: PathBuf,
    /// Bundle with F1's transformer; `None` = `transformer_f1/` of `bundle`, or else its `transformer/`.
    pub f1_bundle: Option<PathBuf>,
}

/// `worker`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// Devices, one worker each.
    pub devices: Devices,
    /// The worker binary; `None` = `framepack-worker` beside framepackd.
    pub program: Option<PathBuf>,
    /// Jobs after which a worker is replaced by a new process; 0 = never.
    pub recycle_after: u32,
    /// Faults in a row after which a device gets no more jobs; 0 = never.
    pub max_faults: u32,
    /// How long a worker may take.
    pub deadlines: Deadlines,
}

/// How long a worker may be silent before it counts as hung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Seconds for everything that is not learned: loading, encoding, a first step, decoding.
    pub first_step_secs: u32,
    /// A step may take this many times as long as slow ones of its kind have taken.
    pub step_factor: u32,
    /// Seconds that a step may take in any case.
    pub min_step_secs: u32,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            first_step_secs: 1800,
            step_factor: 5,
            min_step_secs: 60,
        }
    }
}

/// `memory`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Memory {
    /// What a worker keeps free on its device beside the transformer's weights.
    pub preserve: MemoryAmount,
    /// What a worker may page-lock of the host's memory.
    pub host_budget: MemoryAmount,
}

/// `idle`: since a device's last job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Idle {
    /// When its worker gives the device's memory back.
    pub warm_after: IdleLimit,
    /// When it gives the host's memory back, too.
    pub cold_after: IdleLimit,
}

impl Default for Idle {
    fn default() -> Self {
        Self {
            warm_after: IdleLimit::Secs(300),
            cold_after: IdleLimit::Secs(1800),
        }
    }
}

/// `metrics`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metrics {
    /// OpenMetrics text that is kept up to date here, for the node exporter's textfile collector; `None` = none.
    pub textfile: Option<PathBuf>,
}

/// The file of `metrics.textfile`, or why it can't be that: the node exporter reads no other names.
pub(crate) fn textfile(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.extension().is_some_and(|suffix| suffix == "prom") {
        Ok(path)
    } else {
        Err(format!(
            "`{text}` does not end in .prom, which is all that the node exporter reads"
        ))
    }
}
