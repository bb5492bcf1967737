//! One source of settings, all of them optional: the file, the environment, or the flags.

use std::path::{Path, PathBuf};

use crate::{
    Config, Devices, Memory, MemoryAmount, Models, Paths, Problem, ProblemKind, Problems, Worker,
};

/// Settings that one source gives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layer {
    /// `paths.jobs`
    pub jobs: Option<PathBuf>,
    /// `paths.state`
    pub state: Option<PathBuf>,
    /// `paths.outputs`
    pub outputs: Option<PathBuf>,
    /// `paths.socket`
    pub socket: Option<PathBuf>,
    /// `paths.inputs`
    pub inputs: Option<Vec<PathBuf>>,
    /// `models.bundle`
    pub bundle: Option<PathBuf>,
    /// `models.f1_bundle`
    pub f1_bundle: Option<PathBuf>,
    /// `worker.devices`
    pub devices: Option<Devices>,
    /// `worker.program`
    pub program: Option<PathBuf>,
    /// `memory.preserve_gb`
    pub preserve: Option<MemoryAmount>,
    /// `memory.host_budget_gb`
    pub host_budget: Option<MemoryAmount>,
}

impl Layer {
    /// What this layer says, and `below` where it says nothing.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        Self {
            jobs: self.jobs.or(below.jobs),
            state: self.state.or(below.state),
            outputs: self.outputs.or(below.outputs),
            socket: self.socket.or(below.socket),
            inputs: self.inputs.or(below.inputs),
            bundle: self.bundle.or(below.bundle),
            f1_bundle: self.f1_bundle.or(below.f1_bundle),
            devices: self.devices.or(below.devices),
            program: self.program.or(below.program),
            preserve: self.preserve.or(below.preserve),
            host_budget: self.host_budget.or(below.host_budget),
        }
    }

    /// The same with relative paths taken from `folder`.
    #[must_use]
    pub fn relative_to(self, folder: &Path) -> Self {
        let at = |path: Option<PathBuf>| path.map(|path| folder.join(path));
        Self {
            jobs: at(self.jobs),
            state: at(self.state),
            outputs: at(self.outputs),
            socket: at(self.socket),
            inputs: self
                .inputs
                .map(|roots| roots.iter().map(|root| folder.join(root)).collect()),
            bundle: at(self.bundle),
            f1_bundle: at(self.f1_bundle),
            devices: self.devices,
            program: at(self.program),
            preserve: self.preserve,
            host_budget: self.host_budget,
        }
    }

    /// The whole configuration, or every required key that is missing.
    pub(crate) fn resolve(self) -> Result<Config, Problems> {
        let mut problems = Problems::default();
        let mut required = |path: &str, value: Option<PathBuf>| {
            value.unwrap_or_else(|| {
                let problem = Problem::new(ProblemKind::MissingKey, path, "required, but not set");
                problems.push(problem);
                PathBuf::new()
            })
        };
        let jobs = required("paths.jobs", self.jobs);
        let config = Config {
            paths: Paths {
                state: required("paths.state", self.state),
                outputs: required("paths.outputs", self.outputs),
                socket: required("paths.socket", self.socket),
                inputs: self.inputs.unwrap_or_else(|| vec![jobs.clone()]),
                jobs,
            },
            models: Models {
                bundle: required("models.bundle", self.bundle),
                f1_bundle: self.f1_bundle,
            },
            worker: Worker {
                devices: self.devices.unwrap_or_default(),
                program: self.program,
            },
            memory: Memory {
                preserve: self.preserve.unwrap_or_default(),
                host_budget: self.host_budget.unwrap_or_default(),
            },
        };
        problems.or(config)
    }
}
