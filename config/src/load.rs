//! Where settings come from, and the merge of file, environment and flags.

use std::path::Path;

use crate::{Config, FileError, Layer, Problems, environment, file, yaml};

/// Where settings come from. Later ones win: file, environment, flags.
#[derive(Debug, Clone)]
pub struct Load<'a> {
    /// The configuration file; its relative paths are relative to its folder.
    pub file: &'a Path,
    /// Environment variables; only `FRAMEPACKD_*` are looked at.
    pub environment: &'a [(String, String)],
    /// Flags.
    pub flags: Layer,
    /// The working directory, for relative paths in the environment and in flags.
    pub current_dir: &'a Path,
}

impl Config {
    /// Reads and merges all settings.
    pub fn load(load: Load<'_>) -> Result<Self, FileError> {
        yaml::read(load.file, |text| merge(text, load.clone()))
    }
}

/// The configuration that the file's text, the environment and the flags make.
fn merge(text: &str, load: Load<'_>) -> Result<Config, Problems> {
    let file = load.current_dir.join(load.file);
    let folder = file.parent().unwrap_or(load.current_dir);
    let in_file = file::layer(text)?.relative_to(folder);
    let mut problems = Problems::default();
    let environment = environment::layer(load.environment, &mut problems);
    let given = load.flags.over(environment).relative_to(load.current_dir);
    problems.or(given)?.over(in_file).resolve()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::{
        Deadlines, Device, Devices, Disk, Idle, IdleLimit, Keep, KeepLimit, Memory, MemoryAmount,
        Metrics, Models, Paths, QueueLimits, Retention, SocketRoles, Spool, Worker,
        file::KEYS,
        parameters::{MAX_FAULTS, RECYCLE_AFTER},
    };

    const MINIMAL: &str = "\
paths: {jobs: jobs, state: state, outputs: /videos, socket: run/socket}
models: {bundle: models/demo}
";

    /// What `/etc/framepackd/config.yaml` with this text makes, started in `/home/user`.
    fn merged(text: &str, environment: &[(&str, &str)], flags: Layer) -> Result<Config, String> {
        let environment: Vec<_> = environment
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let load = Load {
            file: Path::new("/etc/framepackd/config.yaml"),
            environment: &environment,
            flags,
            current_dir: Path::new("/home/user"),
        };
        merge(text, load).map_err(|problems| problems.to_string())
    }

    #[test]
    fn five_keys_are_enough() {
        let config = merged(MINIMAL, &[], Layer::default()).unwrap();
        let at = |path: &str| PathBuf::from("/etc/framepackd").join(path);
        assert_eq!(
            config,
            Config {
                paths: Paths {
                    jobs: at("jobs"),
                    state: at("state"),
                    outputs: "/videos".into(),
                    socket: at("run/socket"),
                    inputs: vec![at("jobs")],
                },
                models: Models {
                    bundle: at("models/demo"),
                    f1_bundle: None,
                },
                worker: Worker {
                    devices: Devices::Auto,
                    program: None,
                    recycle_after: 50,
                    max_faults: 3,
                    deadlines: Deadlines::default(),
                },
                memory: Memory {
                    preserve: MemoryAmount::Auto,
                    host_budget: MemoryAmount::Auto,
                },
                idle: Idle::default(),
                spool: Spool::default(),
                queue: QueueLimits::default(),
                disk: Disk::default(),
                retention: Retention::default(),
                keep: Keep::default(),
                socket: SocketRoles::default(),
                metrics: Metrics::default(),
            }
        );
    }

    #[test]
    fn the_documented_file_has_every_key_and_the_defaults() {
        let text = include_str!("../framepackd.yaml");
        let config = merged(text, &[], Layer::default()).unwrap();
        assert_eq!(
            config.paths.inputs,
            std::slice::from_ref(&config.paths.jobs)
        );
        assert_eq!(config.models.f1_bundle, None);
        assert_eq!(config.worker.devices, Devices::default());
        assert_eq!(config.worker.program, None);
        assert_eq!(config.worker.recycle_after, RECYCLE_AFTER.default);
        assert_eq!(config.worker.max_faults, MAX_FAULTS.default);
        assert_eq!(config.worker.deadlines, Deadlines::default());
        assert_eq!(config.idle, Idle::default());
        assert_eq!(config.memory, Memory::default());
        assert_eq!(config.spool, Spool::default());
        assert_eq!(config.queue, QueueLimits::default());
        assert_eq!(config.disk, Disk::default());
        assert_eq!(config.retention, Retention::default());
        assert_eq!(config.keep, Keep::default());
        assert_eq!(config.socket, SocketRoles::default());
        assert_eq!(config.metrics, Metrics::default());
        for key in KEYS.iter().flat_map(|(_, keys)| *keys) {
            let documented = text
                .lines()
                .any(|line| line.trim().starts_with(&format!("{key}:")));
            assert!(documented, "{key}");
        }
    }

    #[test]
    fn later_sources_win() {
        let environment = [
            ("FRAMEPACKD_PATHS_JOBS", "env-jobs"),
            ("FRAMEPACKD_PATHS_STATE", "/env/state"),
            ("FRAMEPACKD_SOCKET", "/run/env.sock"),
            ("FRAMEPACKD_PATHS_INPUTS", "/a:b"),
            ("FRAMEPACKD_WORKER_DEVICES", "cuda:1, cpu"),
            ("FRAMEPACKD_WORKER_RECYCLE_AFTER", "0"),
            ("FRAMEPACKD_IDLE_WARM_AFTER_SECS", "never"),
            ("FRAMEPACKD_MEMORY_PRESERVE_GB", "auto"),
            ("FRAMEPACKD_MEMORY_HOST_BUDGET_GB", "12.5"),
            ("FRAMEPACKD_MODELS_F1_BUNDLE", ""),
            ("FRAMEPACKD_SOCKET_SUBMIT", "alice, @artists"),
            ("FRAMEPACKD_METRICS_TEXTFILE", "framepackd.prom"),
            ("FRAMEPACKD_KEEP_LOGS_DAYS", "never"),
        ];
        let flags = Layer {
            state: Some("flag-state".into()),
            ..Layer::default()
        };
        let text = format!(
            "{MINIMAL}memory: {{preserve_gb: 6}}\nworker: {{recycle_after: 9, step_deadline_factor: 3}}\n\
             idle: {{warm_after_secs: 7, cold_after_secs: 0}}\nsocket: {{read: []}}\n\
             keep: {{work_days: 7, logs_days: 8}}\n"
        );
        let config = merged(&text, &environment, flags).unwrap();
        assert_eq!(config.memory.preserve, MemoryAmount::Auto);
        assert_eq!(config.memory.host_budget.gb(), Some(12.5));
        assert_eq!(config.worker.recycle_after, 0);
        assert_eq!(config.worker.deadlines.step_factor, 3);
        assert_eq!(config.idle.warm_after, IdleLimit::Never);
        assert_eq!(config.idle.cold_after, IdleLimit::Secs(0));
        assert_eq!(config.paths.jobs, Path::new("/home/user/env-jobs"));
        assert_eq!(config.paths.state, Path::new("/home/user/flag-state"));
        assert_eq!(config.paths.socket, Path::new("/run/env.sock"));
        assert_eq!(
            config.paths.inputs,
            [Path::new("/a"), Path::new("/home/user/b")]
        );
        assert_eq!(config.models.f1_bundle, None);
        let submit = ["alice", "@artists"].map(|name| name.parse().unwrap());
        assert_eq!(config.socket.submit, Some(submit.to_vec()));
        assert_eq!(config.socket.read, Some(Vec::new()));
        assert_eq!(
            config.metrics.textfile,
            Some("/home/user/framepackd.prom".into())
        );
        let expected = Keep {
            work_days: KeepLimit::Beyond(7),
            logs_days: KeepLimit::Never,
            ..Keep::default()
        };
        assert_eq!(config.keep, expected);
        let devices = vec![Device::Cuda(1), Device::Cpu];
        assert_eq!(config.worker.devices, Devices::Listed(devices));
    }

    #[test]
    fn lists_and_single_values() {
        let text = format!("{MINIMAL}worker: {{devices: [cpu, 'cuda:0']}}\n");
        let config = merged(&text, &[], Layer::default()).unwrap();
        let devices = vec![Device::Cpu, Device::Cuda(0)];
        assert_eq!(config.worker.devices, Devices::Listed(devices));
        let text = format!("{MINIMAL}worker: {{devices: cuda:3}}\n");
        let config = merged(&text, &[], Layer::default()).unwrap();
        assert_eq!(
            config.worker.devices,
            Devices::Listed(vec![Device::Cuda(3)])
        );
    }

    #[test]
    fn two_workers_for_one_device_are_refused() {
        let text = format!("{MINIMAL}worker: {{devices: [cpu, 'cuda:0', cpu]}}\n");
        let refused = merged(&text, &[], Layer::default()).unwrap_err();
        assert_eq!(
            refused,
            "line 3, column 19: worker.devices: `cpu` is named twice; a device has one worker"
        );
        let environment = [("FRAMEPACKD_WORKER_DEVICES", "cuda:1,cuda:1")];
        let refused = merged(MINIMAL, &environment, Layer::default()).unwrap_err();
        assert!(refused.contains("`cuda:1` is named twice"), "{refused}");
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let text = "\
path: {jobs: jobs}
paths:
  job: x
  state: 7
worker:
  devices: [gpu]
  step_deadline_factor: 1
idle: {warm_after_secs: soon}
memory:
  preserve_gb: 1
  host_budget_gb: much
socket:
  admin: [root, '*']
metrics: {textfile: figures.txt}
keep: {work_days: 0, logs_days: long}
";
        let expected = "\
line 1, column 1: path: unknown key (did you mean `paths`?)
line 3, column 3: paths.job: unknown key (did you mean `jobs`?)
line 4, column 10: paths.state: expected text; found 7 (put it in quotes: \"7\")
line 6, column 12: worker.devices: `gpu` is not a device; there are cpu and cuda:N
line 7, column 25: worker.step_deadline_factor: 1 is not in 2 to 1000
line 8, column 25: idle.warm_after_secs: `soon` is neither never nor a whole number of seconds, 0 to 2678400
line 10, column 16: memory.preserve_gb: 1 is not in 2 to 128
line 11, column 19: memory.host_budget_gb: `much` is neither auto nor a number, 1 to 4096
line 13, column 10: socket.admin: `*` is neither a user (`alice`) nor a group (`@artists`)
line 14, column 21: metrics.textfile: `figures.txt` does not end in .prom, which is all that the node exporter reads
line 15, column 19: keep.work_days: 0 is not in 1 to 1000000
line 15, column 33: keep.logs_days: `long` is neither never nor a whole number, 1 to 1000000";
        assert_eq!(merged(text, &[], Layer::default()).unwrap_err(), expected);
    }

    #[test]
    fn folders_in_each_others_way_are_refused() {
        let text = MINIMAL.replace("state: state", "state: jobs/state");
        let expected = "paths.state: /etc/framepackd/jobs/state lies in paths.jobs, which is /etc/framepackd/jobs \
             (jobs, state and outputs are folders apart from each other)";
        assert_eq!(merged(&text, &[], Layer::default()).unwrap_err(), expected);
    }

    #[test]
    fn required_keys_are_named() {
        let expected = "\
paths.outputs: required, but not set
models.bundle: required, but not set";
        let text = "paths: {jobs: a, state: b, socket: c}\n";
        assert_eq!(merged(text, &[], Layer::default()).unwrap_err(), expected);
    }

    #[test]
    fn misspelt_and_unknown_variables_are_mistakes() {
        let environment = [("FRAMEPACKD_PATHS_JOB", "x"), ("FRAMEPACKD_LOG", "debug")];
        let expected = "\
FRAMEPACKD_PATHS_JOB: unknown variable (did you mean `FRAMEPACKD_PATHS_JOBS`?)
FRAMEPACKD_LOG: unknown variable (unset it: variables that begin with FRAMEPACKD_ are settings)";
        assert_eq!(
            merged(MINIMAL, &environment, Layer::default()).unwrap_err(),
            expected
        );
    }
}
