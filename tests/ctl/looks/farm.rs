//! What the daemon answers about itself, its devices, its folders and its logs.

use framepack_ipc::{
    check::{Check, CheckState},
    control::{DaemonStatus, Note, Outage, Response, WorkerState, WorkerStatus},
    folder::{Scan, WaitingFile},
    state::StateReport,
    upkeep::{Cache, CacheKind},
    worker::Temperature,
};
use framepack_jobs::{
    Code, Model,
    settings::{Origin, Setting},
};

use super::cases::{at, jobs};
use crate::fixtures::{done, job};

pub(crate) fn status() -> DaemonStatus {
    let worker = |device: &str, state, temperature, note: Option<&str>| WorkerStatus {
        device: device.to_owned(),
        device_name: Some("NVIDIA Example 24 GB".to_owned()),
        state,
        note: note.map(str::to_owned),
        temperature,
        outage: None,
    };
    let disabled = Some("disabled after 3 faults; `framepackctl gpu enable cuda:1` enables it");
    DaemonStatus {
        version: "0.1.0".to_owned(),
        pid: 42,
        uptime_secs: 33_120.0,
        queued: 2,
        running: 1,
        paused: Some("by hand".to_owned()),
        degraded: vec![Note {
            hint: Some("look".to_owned()),
            ..Note::new(Code::STORE_REPAIRED, "the store was repaired")
        }],
        workers: vec![
            worker("cuda:0", WorkerState::Busy, Some(Temperature::Hot), None),
            worker("cuda:1", WorkerState::Faulty, None, disabled),
        ],
        outages: vec![Outage {
            code: Code::MODEL_POINTER.into(),
            message: "a.safetensors is a git-lfs pointer".to_owned(),
            hint: Some("run `git lfs pull`".to_owned()),
            since: at("2020-11-23T05:16:08.000000Z"),
            next_try: None,
            trying: false,
            devices: Vec::new(),
            models: vec![Model::F1],
        }],
    }
}

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::ok("socket", "answers"),
        Check::new(
            CheckState::Warning,
            "disk",
            "/outputs has 12 GiB free, which is room for about 400 videos of the size that was rendered last",
            "make room, or set `paths.output_dir` to a larger disk",
        ),
        Check::failed(
            "models",
            "/models: no such folder",
            "framepackctl models fetch",
        ),
    ]
}

pub(super) fn settings() -> Vec<Setting> {
    let setting = |key: &str, value: serde_json::Value, origin| Setting {
        key: key.to_owned(),
        value,
        origin,
        inactive: None,
    };
    let file = Origin::File {
        key: "idle.warm_after_secs".to_owned(),
    };
    let variable = Origin::Environment {
        variable: "FRAMEPACKD_GUIDANCE_CFG".to_owned(),
    };
    let mut inactive = setting("vae.overlap", true.into(), Origin::Default);
    inactive.inactive = Some("on a processor".to_owned());
    vec![
        setting("idle.warm_after_secs", 300.into(), file),
        setting("steps", serde_json::Value::Null, Origin::Default),
        setting("guidance.cfg", 2.0.into(), variable),
        inactive,
    ]
}

pub(super) fn scan() -> Scan {
    let file = |file: &str, why: &str| WaitingFile {
        file: file.to_owned(),
        why: why.to_owned(),
    };
    Scan {
        jobs: 2,
        rejected: 1,
        left: 3,
        waiting: 5,
        files: vec![file("a\nb.yaml", "the file is empty")],
        passed_over: vec![file("a (conflicted copy).yaml", "a copy")],
        notes: vec![Note::new(Code::STORE_REPAIRED, "a file waits for long")],
        ..Scan::default()
    }
}

pub(super) fn caches() -> Vec<Cache> {
    let cache = |kind, path: &str, without: &str| Cache {
        kind,
        path: path.into(),
        files: 12,
        bytes: 300 << 20,
        without: without.to_owned(),
    };
    vec![
        cache(
            CacheKind::Embeddings,
            "/var/lib/framepackd/embeddings",
            "prompts are encoded again, which takes the text encoders' memory and about half a minute for each",
        ),
        cache(
            CacheKind::Attention,
            "/var/lib/framepackd/choices-*.json",
            "it is measured again",
        ),
    ]
}

pub(super) fn state() -> StateReport {
    StateReport {
        jobs: 312,
        seq: 4711,
        store_bytes: 5 << 20,
        journal_bytes: 300 << 10,
        free_bytes: 212 << 30,
        needed_bytes: 64 << 20,
        problems: vec!["job 7 is in the journal and not in the store".to_owned()],
        repairs: vec![Note::new(
            Code::STORE_REPAIRED,
            "2 records were moved aside",
        )],
    }
}

pub(super) fn logs() -> Vec<Response> {
    let line = |level: &str, message: &str, more: &str| {
        format!(
            r#"{{"at":"2020-11-23T05:16:09.123456Z","level":"{level}","message":"{message}","job":1{more}}}"#
        )
    };
    let lines = vec![
        line("info", "started", r#","device":"cuda:0","attempt":1"#),
        line("warn", "slow", r#","secs_per_step":9.5"#),
        line("error", "failed \\u001b[2J", ""),
        "not JSON".to_owned(),
    ];
    vec![
        jobs(vec![job(1, done())]),
        Response::Log { lines },
        Response::End,
    ]
}
