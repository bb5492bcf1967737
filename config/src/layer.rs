//! One source of settings, all of them optional: the file, the environment, or the flags.

use std::path::{Path, PathBuf};

use crate::{
    Config, Deadlines, Devices, DiskLayer, Idle, IdleLimit, KeepLayer, Memory, MemoryAmount,
    Metrics, Models, Paths, Problem, ProblemKind, Problems, RetentionLayer, SocketRoles,
    SpoolLayer, Worker,
    parameters::{MAX_FAULTS, RECYCLE_AFTER},
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
    /// `worker.recycle_after`
    pub recycle_after: Option<u32>,
    /// `worker.max_faults`
    pub max_faults: Option<u32>,
    /// `worker.first_step_deadline_secs`
    pub first_step_deadline_secs: Option<u32>,
    /// `worker.step_deadline_factor`
    pub step_deadline_factor: Option<u32>,
    /// `worker.min_step_deadline_secs`
    pub min_step_deadline_secs: Option<u32>,
    /// `idle.warm_after_secs`
    pub warm_after: Option<IdleLimit>,
    /// `idle.cold_after_secs`
    pub cold_after: Option<IdleLimit>,
    /// `memory.preserve_gb`
    pub preserve: Option<MemoryAmount>,
    /// `memory.host_budget_gb`
    pub host_budget: Option<MemoryAmount>,
    /// `spool` and `queue`
    pub spool: SpoolLayer,
    /// `disk`
    pub disk: DiskLayer,
    /// `retention`
    pub retention: RetentionLayer,
    /// `keep`
    pub keep: KeepLayer,
    /// `socket`
    pub roles: SocketRoles,
    /// `metrics.textfile`
    pub textfile: Option<PathBuf>,
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
            recycle_after: self.recycle_after.or(below.recycle_after),
            max_faults: self.max_faults.or(below.max_faults),
            first_step_deadline_secs: self
                .first_step_deadline_secs
                .or(below.first_step_deadline_secs),
            step_deadline_factor: self.step_deadline_factor.or(below.step_deadline_factor),
            min_step_deadline_secs: self.min_step_deadline_secs.or(below.min_step_deadline_secs),
            warm_after: self.warm_after.or(below.warm_after),
            cold_after: self.cold_after.or(below.cold_after),
            preserve: self.preserve.or(below.preserve),
            host_budget: self.host_budget.or(below.host_budget),
            spool: self.spool.over(&below.spool),
            disk: self.disk.over(below.disk),
            retention: self.retention.over(below.retention),
            keep: self.keep.over(below.keep),
            roles: self.roles.over(below.roles),
            textfile: self.textfile.or(below.textfile),
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
            program: at(self.program),
            textfile: at(self.textfile),
            ..self
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
        let (spool, queue) = self.spool.resolve();
        let (usual, idle) = (Deadlines::default(), Idle::default());
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
                recycle_after: self.recycle_after.unwrap_or(RECYCLE_AFTER.default),
                max_faults: self.max_faults.unwrap_or(MAX_FAULTS.default),
                deadlines: Deadlines {
                    first_step_secs: self
                        .first_step_deadline_secs
                        .unwrap_or(usual.first_step_secs),
                    step_factor: self.step_deadline_factor.unwrap_or(usual.step_factor),
                    min_step_secs: self.min_step_deadline_secs.unwrap_or(usual.min_step_secs),
                },
            },
            memory: Memory {
                preserve: self.preserve.unwrap_or_default(),
                host_budget: self.host_budget.unwrap_or_default(),
            },
            idle: Idle {
                warm_after: self.warm_after.unwrap_or(idle.warm_after),
                cold_after: self.cold_after.unwrap_or(idle.cold_after),
            },
            spool,
            queue,
            disk: self.disk.resolve(),
            retention: self.retention.resolve(),
            keep: self.keep.resolve(),
            socket: self.roles,
            metrics: Metrics {
                textfile: self.textfile,
            },
        };
        if let Some(overlap) = config.paths.overlap() {
            let problem = Problem::new(ProblemKind::OutOfRange, overlap.key, overlap.to_string());
            problems
                .push(problem.hint("jobs, state and outputs are folders apart from each other"));
        }
        problems.or(config)
    }
}
