mod contradictions;
mod sources;

use std::{os::unix::ffi::OsStringExt, path::PathBuf};

use framepack_jobs::{
    Value,
    settings::{Origin, PRESERVE_GB},
};

use super::*;
use crate::{Deadlines, Device, Devices, Limit, WatchMode};

const MINIMAL: &str = "\
paths: {jobs: jobs, state: state, outputs: /videos, socket: run/socket}
models: {bundle: models/demo}
";

/// What `/etc/framepackd/config.yaml` with this text makes, started in `/home/user`.
fn loaded(text: &str, environment: &[(&str, &str)]) -> Result<Loaded, String> {
    let environment: Vec<_> = environment
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.into()))
        .collect();
    let load = Load {
        file: Path::new("/etc/framepackd/config.yaml"),
        environment: &environment,
        current_dir: Path::new("/home/user"),
    };
    merge(text, &load).map_err(|problems| problems.to_string())
}

fn merged(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    loaded(text, environment).map(|loaded| loaded.config)
}

#[test]
fn paths_and_models_are_enough() {
    let config = merged(MINIMAL, &[]).unwrap();
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
                is_hub_cache: false,
                f1_bundle: None,
            },
            worker: Worker {
                devices: Devices::Auto,
                program: None,
                recycle_after: Limit::At(50),
                max_faults: Limit::At(3),
                deadlines: Deadlines::default(),
            },
            process: Process::default(),
            idle: Idle {
                warm_after_secs: Limit::At(300),
                cold_after_secs: Limit::At(1800),
            },
            spool: Spool::default(),
            queue: QueueLimits { max_jobs: 20_000 },
            disk: Disk {
                floor_mib: 64,
                reserve_mib: 256
            },
            retention: Retention::default(),
            socket: SocketRoles::default(),
            metrics: Metrics::default(),
            farm: Farm::default(),
        }
    );
}

#[test]
fn the_documented_file_has_every_key_and_the_defaults() {
    let text = include_str!("../../framepackd.yaml");
    let documented = loaded(text, &[]).unwrap();
    let smallest = loaded(MINIMAL, &[]).unwrap();
    let paths = &documented.config.paths;
    assert_eq!(paths.inputs, std::slice::from_ref(&paths.jobs));
    let same_paths = Config {
        paths: paths.clone(),
        models: documented.config.models.clone(),
        // Set to what they are by default, so that they are set.
        farm: documented.config.farm.clone(),
        ..smallest.config
    };
    assert_eq!(documented.config, same_paths);
    assert_eq!(documented.notices, Vec::<String>::new());
    for (documented, smallest) in documented.settings.iter().zip(&smallest.settings) {
        let key = documented.key.as_str();
        if !key.starts_with("paths.") && key != "models.bundle" {
            assert_eq!(documented.value, smallest.value, "{key}");
        }
    }
    let root = yaml::parse(text).unwrap();
    for setting in &documented.settings {
        let yaml::Node::Map(sections) = &root else {
            panic!("the file is a mapping")
        };
        let mut entries = sections;
        for part in setting.key.split('.') {
            let entry = entries.iter().find(|(key, _)| key == part);
            let (_, node) = entry.unwrap_or_else(|| panic!("{} is documented", setting.key));
            if let yaml::Node::Map(inner) = node {
                entries = inner;
            }
        }
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
        ("FRAMEPACKD_RETENTION_LOGS_DAYS", "never"),
        ("FRAMEPACKD_SPOOL_MODE", "events"),
        ("FRAMEPACKD_SPOOL_SCAN_SECS", "7"),
        ("FRAMEPACKD_QUEUE_MAX_JOBS", "5"),
        ("FRAMEPACKD_GUIDANCE_DISTILLED", "8"),
    ];
    let text = format!(
        "{MINIMAL}memory: {{preserve_gb: 6}}\nworker: {{recycle_after: 9, step_deadline_factor: 3}}\n\
         idle: {{warm_after_secs: 7, cold_after_secs: 0}}\nsocket: {{read: []}}\n\
         retention: {{work_days: 7, logs_days: 8}}\nguidance: {{distilled: 7, cfg: 2}}\nsteps: 12\n\
         spool: {{mode: poll, settle_secs: 0.5, scan_secs: 3}}\n"
    );
    let config = merged(&text, &environment).unwrap();
    assert_eq!(config.farm.get(&PRESERVE_GB), Some(&Value::from("auto")));
    assert_eq!(config.process.host_budget.gb(), Some(12.5));
    assert_eq!(config.worker.recycle_after, Limit::Never);
    assert_eq!(config.worker.deadlines.step_factor, 3);
    assert_eq!(config.idle.warm_after_secs, Limit::Never);
    assert_eq!(config.idle.cold_after_secs, Limit::At(0));
    assert_eq!(config.paths.jobs, Path::new("/home/user/env-jobs"));
    assert_eq!(config.paths.state, Path::new("/env/state"));
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
    let expected = Retention {
        work_days: Limit::At(7),
        logs_days: Limit::Never,
        ..Retention::default()
    };
    assert_eq!(config.retention, expected);
    let devices = vec![Device::Cuda(1), Device::Cpu];
    assert_eq!(config.worker.devices, Devices::Listed(devices));
    let expected = Spool {
        mode: WatchMode::Events,
        settle: Some(std::time::Duration::from_millis(500)),
        scan: Some(std::time::Duration::from_secs(7)),
        ..Spool::default()
    };
    assert_eq!(config.spool, expected);
    assert_eq!(config.queue, QueueLimits { max_jobs: 5 });
    let (farm, _) = config.farm.into_parts();
    let farm: Vec<(&str, Value)> = farm
        .iter()
        .map(|(key, value)| (key, value.clone()))
        .collect();
    let expected = [
        ("guidance.cfg", Value::Number(2.0)),
        ("guidance.distilled", Value::Number(8.0)),
        ("memory.host_budget_gb", Value::Number(12.5)),
        ("memory.preserve_gb", Value::from("auto")),
        ("steps", Value::Integer(12)),
    ];
    assert_eq!(farm, expected);
}

#[test]
fn each_setting_says_where_it_comes_from() {
    let environment = [("FRAMEPACKD_SOCKET", "s"), ("FRAMEPACKD_STEPS", "9")];
    let text = format!("{MINIMAL}worker: {{max_faults: 0}}\n");
    let settings = loaded(&text, &environment).unwrap().settings;
    let of = |key: &str| {
        let setting = settings.iter().find(|setting| setting.key == key).unwrap();
        (setting.value.to_string(), setting.origin.clone())
    };
    let file = |key: &str| Origin::File {
        key: key.to_owned(),
    };
    let variable = |name: &str| Origin::Environment {
        variable: name.to_owned(),
    };
    assert_eq!(
        of("paths.socket"),
        ("\"/home/user/s\"".to_owned(), variable("FRAMEPACKD_SOCKET"))
    );
    assert_eq!(of("steps"), ("9".to_owned(), variable("FRAMEPACKD_STEPS")));
    assert_eq!(
        of("worker.max_faults"),
        ("\"never\"".to_owned(), file("worker.max_faults"))
    );
    assert_eq!(of("guidance.cfg"), ("1.0".to_owned(), Origin::Default));
    assert_eq!(
        of("spool.settle_secs"),
        ("null".to_owned(), Origin::Default)
    );
    assert_eq!(of("spool.grace_secs"), ("60.0".to_owned(), Origin::Default));
}

#[test]
fn old_names_are_read_with_a_notice() {
    let text =
        format!("{MINIMAL}keep: {{work_days: never, max_jobs: 7}}\nretention: {{work_days: 3}}\n");
    let environment = [("FRAMEPACKD_KEEP_LOGS_DAYS", "5")];
    let loaded = loaded(&text, &environment).unwrap();
    let expected = Retention {
        work_days: Limit::At(3),
        logs_days: Limit::At(5),
        work_jobs: Limit::At(7),
        ..Retention::default()
    };
    assert_eq!(loaded.config.retention, expected);
    assert_eq!(
        loaded.notices,
        [
            "keep.work_days is now called retention.work_days; the old name still works",
            "keep.logs_days is now called retention.logs_days; the old name still works",
            "keep.max_jobs is now called retention.work_jobs; the old name still works",
        ]
    );
}

#[test]
fn a_file_is_read_as_editors_save_it_and_its_empty_keys_are_noticed() {
    let plain = merged(MINIMAL, &[]).unwrap();
    let marked = format!("\u{feff}{MINIMAL}---\n");
    assert_eq!(merged(&marked, &[]).as_ref(), Ok(&plain));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("framepackd.yaml");
    let utf16: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(&file, utf16).unwrap();
    let load = Load {
        file: &file,
        environment: &[],
        current_dir: folder.path(),
    };
    let read = Loaded::read(&load).unwrap().config;
    assert_eq!(read.paths.jobs, folder.path().join("jobs"));
    std::fs::write(&file, b"# sch\xf6n\n").unwrap();
    let told = Loaded::read(&load).unwrap_err().to_string();
    assert!(
        told.contains("line 1, column 6: not UTF-8 text: byte 0xF6"),
        "{told}"
    );

    let empty = format!("{MINIMAL}worker:\n  recycle_after:\n  max_faults: ~\nspool:\n");
    let told = "worker.recycle_after: there is nothing in it, so the default is used; remove the key, or write a value";
    assert_eq!(loaded(&empty, &[]).unwrap().notices, [told]);
}

#[test]
fn an_empty_path_is_no_path() {
    let text = format!("{MINIMAL}worker: {{program: ''}}\n");
    let expected = "line 3, column 19: worker.program: expected a path; found an empty text (leave the value out for the default)";
    assert_eq!(merged(&text, &[]).unwrap_err(), expected);
}

#[test]
fn a_variable_can_name_nobody() {
    let config = merged(MINIMAL, &[("FRAMEPACKD_SOCKET_READ", "[]")]).unwrap();
    assert_eq!(config.socket.read, Some(Vec::new()));
}

#[test]
fn what_is_overridden_is_checked_all_the_same() {
    let text = format!("{MINIMAL}worker: {{max_faults: many}}\n");
    let environment = [("FRAMEPACKD_WORKER_MAX_FAULTS", "2")];
    let expected = "line 3, column 22: worker.max_faults: `many` is neither never nor a whole number, 1 to 1000";
    assert_eq!(merged(&text, &environment).unwrap_err(), expected);
}

#[test]
fn a_variable_that_is_no_text_is_a_mistake() {
    let environment = [(
        "FRAMEPACKD_PATHS_JOBS".to_owned(),
        OsString::from_vec(vec![b'/', 0xff]),
    )];
    let load = Load {
        file: Path::new("/etc/framepackd/config.yaml"),
        environment: &environment,
        current_dir: Path::new("/home/user"),
    };
    let problems = merge(MINIMAL, &load).unwrap_err();
    assert_eq!(problems.to_string(), "FRAMEPACKD_PATHS_JOBS: not UTF-8");
}

#[test]
fn lists_and_single_values() {
    let text = format!("{MINIMAL}worker: {{devices: [cpu, 'cuda:0']}}\n");
    let config = merged(&text, &[]).unwrap();
    let devices = vec![Device::Cpu, Device::Cuda(0)];
    assert_eq!(config.worker.devices, Devices::Listed(devices));
    let text = format!("{MINIMAL}worker: {{devices: cuda:3}}\n");
    let config = merged(&text, &[]).unwrap();
    assert_eq!(
        config.worker.devices,
        Devices::Listed(vec![Device::Cuda(3)])
    );
}

#[test]
fn two_workers_for_one_device_are_refused() {
    let text = format!("{MINIMAL}worker: {{devices: [cpu, 'cuda:0', cpu]}}\n");
    let refused = merged(&text, &[]).unwrap_err();
    assert_eq!(
        refused,
        "line 3, column 19: worker.devices: `cpu` is listed twice; each device has one worker"
    );
    let environment = [("FRAMEPACKD_WORKER_DEVICES", "cuda:1,cuda:1")];
    let refused = merged(MINIMAL, &environment).unwrap_err();
    assert_eq!(
        refused,
        "FRAMEPACKD_WORKER_DEVICES: `cuda:1` is listed twice; each device has one worker"
    );
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
steps: 0
prompt: a cat
priority: 3
";
    let environment = [("FRAMEPACKD_SPOOL_MODE", "pol")];
    let expected = "\
line 1, column 1: path: unknown key (did you mean `paths`?)
line 3, column 3: paths.job: unknown key (did you mean `jobs`?)
line 4, column 10: paths.state: expected text; found 7 (put it in quotes: \"7\")
line 6, column 12: worker.devices: `gpu` is not a device; expected cpu or cuda:N
line 7, column 25: worker.step_deadline_factor: 1 is out of range (2 to 1000)
line 8, column 25: idle.warm_after_secs: `soon` is neither never nor a whole number, 0 to 2678400
line 10, column 16: memory.preserve_gb: 1 is out of range (2 to 128)
line 11, column 19: memory.host_budget_gb: `much` is neither auto nor a number, 1 to 4096
line 13, column 10: socket.admin: `*` is neither a user (`alice`) nor a group (`@artists`)
line 14, column 21: metrics.textfile: `figures.txt` must end in .prom: the node exporter reads no other files
line 15, column 19: keep.work_days: 0 is out of range (1 to 1000000)
line 15, column 33: keep.logs_days: `long` is neither never nor a whole number, 1 to 1000000
line 16, column 8: steps: 0 is out of range (1 to 100)
line 17, column 1: prompt: unknown key (set it in the job file)
line 18, column 1: priority: unknown key (set it in the job file)
paths.jobs: required, but not set
paths.outputs: required, but not set
paths.socket: required, but not set
FRAMEPACKD_SPOOL_MODE: `pol` is not a watch mode; expected auto, events or poll (did you mean `poll`?)";
    assert_eq!(merged(text, &environment).unwrap_err(), expected);
}

#[test]
fn folders_in_each_others_way_are_refused() {
    let text = MINIMAL.replace("state: state", "state: jobs/state");
    let expected = "line 1, column 28: paths.state: /etc/framepackd/jobs/state is inside paths.jobs, which is /etc/framepackd/jobs \
         (jobs, state and outputs must be separate folders)";
    assert_eq!(merged(&text, &[]).unwrap_err(), expected);
}

#[test]
fn required_keys_are_named() {
    let expected = "\
paths.outputs: required, but not set";
    let text = "paths: {jobs: a, state: b, socket: c}\n";
    assert_eq!(merged(text, &[]).unwrap_err(), expected);
}

#[test]
fn models_are_by_default_where_the_hubs_programs_keep_them() {
    let text = "paths: {jobs: jobs, state: state, outputs: /videos, socket: run/socket}\n";
    let home = ("HOME", "/home/user");
    for (environment, bundle) in [
        (&[home][..], "/home/user/.cache/huggingface/hub"),
        (
            &[home, ("XDG_CACHE_HOME", "/cache")],
            "/cache/huggingface/hub",
        ),
        (&[home, ("HF_HOME", "/hf")], "/hf/hub"),
        (
            &[("HF_HOME", "/hf"), ("HF_HUB_CACHE", "models")],
            "/home/user/models",
        ),
        (
            &[home, ("HF_HOME", "")],
            "/home/user/.cache/huggingface/hub",
        ),
        (&[], "/etc/framepackd/models"),
    ] {
        let config = merged(text, environment).unwrap();
        assert_eq!(config.models.bundle, Path::new(bundle), "{environment:?}");
    }
}

#[test]
fn misspelt_and_unknown_variables_are_mistakes() {
    let environment = [("FRAMEPACKD_PATHS_JOB", "x"), ("FRAMEPACKD_LOG", "debug")];
    let expected = "\
FRAMEPACKD_PATHS_JOB: unknown variable (did you mean `FRAMEPACKD_PATHS_JOBS`?)
FRAMEPACKD_LOG: unknown variable (unset it: variables that start with FRAMEPACKD_ are settings)";
    assert_eq!(merged(MINIMAL, &environment).unwrap_err(), expected);
}
