//! The settings as the daemon uses them: complete, absolute, valid.

use std::path::PathBuf;

use crate::{Devices, MemoryAmount};

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
}

/// `memory`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Memory {
    /// What a worker keeps free on its device beside the transformer's weights.
    pub preserve: MemoryAmount,
    /// What a worker may page-lock of the host's memory.
    pub host_budget: MemoryAmount,
}
