//! The commands that are looked at, and what the daemon answers them.
//!
//! Times are those of 2020, which are told as dates whenever the tests are run, or so far from now in seconds that they
//! are told in the same words for a while.

use std::{sync::LazyLock, time::Duration};

use framepack_ipc::{
    ErrorBody,
    check::{Check, CheckState},
    control::{
        DaemonStatus, EnableOutcome, Enabling, Note, Outage, Response, Submission, SubmitOutcome,
        WorkerState, WorkerStatus,
    },
    estimate::{Basis, Estimate, Moment, Prediction},
    folder::{Scan, WaitingFile},
    plan::JobPlan,
    queue::{ChangeOutcome, Changed, QueueEntry, QueueView, Standing},
    state::StateReport,
    worker::Temperature,
};
use framepack_jobs::{
    Code, Job, JobId, JobState, Model, Timestamp,
    settings::{Origin, Setting},
};

use crate::{
    fixtures::{cancelled, done, failed, job, running},
    plan::plan,
};

/// A command and its answers.
pub(super) struct Case {
    /// Of its files.
    pub(super) name: &'static str,
    pub(super) arguments: &'static [&'static str],
    pub(super) answers: fn() -> Vec<Response>,
}

pub(super) fn cases() -> Vec<Case> {
    let case = |name, arguments, answers| Case {
        name,
        arguments,
        answers,
    };
    vec![
        case("list", &["list"], list),
        case("list-none", &["list"], || vec![jobs(Vec::new())]),
        case("list-no-legend", &["list", "--no-legend"], list),
        case("show", &["show", "1", "2"], || {
            vec![jobs(vec![job_1(), old(job(2, failed()))])]
        }),
        case("show-running", &["show", "3"], || {
            let mut runs = old(job(3, running()));
            if let JobState::Running { started_at, .. } = &mut runs.state {
                *started_at = at("2020-11-23T05:16:09.000000Z");
            }
            vec![jobs(vec![runs])]
        }),
        case("queue", &["queue"], || vec![Response::Queue(queue())]),
        case("submit", &["submit", "cat.yaml"], || {
            vec![submitted(SubmitOutcome::Created)]
        }),
        case("submit-duplicate", &["submit", "cat.yaml"], || {
            vec![submitted(SubmitOutcome::Duplicate)]
        }),
        case("wait", &["wait", "1", "2"], || {
            let ended = [job_1(), old(job(2, failed()))];
            let ended = ended.map(|job| Response::Job(Box::new(job)));
            ended.into_iter().chain([Response::End]).collect()
        }),
        case("cancel", &["cancel", "1-3"], cancel),
        case("hold", &["hold", "4"], || {
            let mut held = job(4, JobState::Queued);
            held.runs.held = true;
            changed(vec![(held, ChangeOutcome::Changed, None)])
        }),
        case("priority", &["priority", "4", "7"], || {
            changed(vec![(
                job(4, JobState::Queued),
                ChangeOutcome::Changed,
                None,
            )])
        }),
        case("plan", &["plan", "7"], || {
            let time = Prediction::Known(known(250.0));
            vec![Response::Planned(Box::new(JobPlan {
                memory: plan(),
                time: Some(time),
            }))]
        }),
        case("ping", &["ping"], || vec![Response::Pong(status())]),
        case("doctor", &["doctor"], || {
            vec![Response::Checked { checks: checks() }]
        }),
        case("config", &["config", "show"], || {
            vec![Response::Config {
                settings: settings(),
            }]
        }),
        case("config-origin", &["config", "show", "--origin"], || {
            vec![Response::Config {
                settings: settings(),
            }]
        }),
        case("gpu", &["gpu", "enable", "cuda:1"], || {
            vec![Response::Enabled(Enabling {
                device: "cuda:1".to_owned(),
                outcome: EnableOutcome::Enabled,
            })]
        }),
        case("folder", &["folder", "scan"], || {
            vec![Response::Scanned(scan())]
        }),
        case("state", &["state", "check"], || {
            vec![Response::State(state())]
        }),
        case("logs", &["logs", "1"], logs),
        case("explain", &["explain", "FP2004"], Vec::new),
        case("error", &["show", "99"], || {
            let error = ErrorBody::new(Code::NO_SUCH_JOB, "no such job: 99");
            vec![Response::Error(error.into())]
        }),
    ]
}

/// When a job began that is told to have run for 2 h 5 min, for half a minute.
pub(super) static RECENT: LazyLock<Timestamp> =
    LazyLock::new(|| Timestamp::now().minus(Duration::from_secs(2 * 3600 + 5 * 60 + 5)));

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

/// The job as it would have been in 2020.
fn old(mut job: Job) -> Job {
    job.submitted_at = at("2020-11-23T05:16:08.000001Z");
    match &mut job.state {
        JobState::Done {
            started_at,
            finished_at,
            ..
        } => {
            *started_at = at("2020-11-23T05:16:09.000000Z");
            *finished_at = at("2020-11-23T05:20:19.000000Z");
        }
        JobState::Failed { finished_at, .. } | JobState::Cancelled { finished_at, .. } => {
            *finished_at = at("2020-11-23T05:16:19.500000Z");
        }
        _ => {}
    }
    job
}

fn job_1() -> Job {
    let mut job = old(job(1, done()));
    job.spec.prompt =
        "A cat yawns, stretches, looks at the camera for a while and then walks slowly out \
                       of the picture to the left."
            .to_owned();
    job
}

fn jobs(jobs: Vec<Job>) -> Response {
    Response::Jobs { jobs }
}

fn list() -> Vec<Response> {
    let mut long = old(job(2, failed()));
    long.name = "shot042-take7-the-cat-walks-out-of-the-picture-to-the-left".to_owned();
    let mut runs = job(3, running());
    runs.name = "日本語の映画".to_owned();
    runs.schedule.group = Some("night".to_owned());
    if let JobState::Running { started_at, .. } = &mut runs.state {
        *started_at = *RECENT;
    }
    runs.submitted_at = at("2020-11-23T05:16:08.000001Z");
    let mut waits = job(4, JobState::Queued);
    waits.submitted_at = at("2020-11-23T05:16:08.000001Z");
    let mut held = job(5, JobState::Queued);
    held.runs.held = true;
    held.submitted_at = waits.submitted_at;
    held.name = "a\u{1b}[2Jb".to_owned();
    let cancelled = old(job(112, cancelled()));
    let all = vec![job_1(), long, runs, waits, held, cancelled];
    vec![jobs(all), Response::Queue(queue())]
}

fn queue() -> QueueView {
    let entry = |id, standing, turn, reason: &str| QueueEntry {
        turn,
        id: JobId(id),
        name: "cat".to_owned(),
        standing,
        priority: 0,
        group: None,
        reason: reason.to_owned(),
        until: None,
        begins: None,
        ends: None,
    };
    let then = |secs| Some(Moment::after(Timestamp::now(), known(secs)));
    let mut runs = entry(3, Standing::Running, None, "on cuda:0");
    runs.ends = then(250.0);
    runs.name = "日本語の映画".to_owned();
    runs.group = Some("night".to_owned());
    let mut waits = entry(4, Standing::Waiting, None, "after job 3, which is running");
    waits.until = Some(at("2099-01-01T07:00:00.000000Z"));
    let mut next = entry(
        6,
        Standing::Ready,
        Some(1),
        "moved up: its LoRA is loaded already",
    );
    next.priority = 5;
    next.begins = then(250.0);
    next.ends = then(500.0);
    let mut held = entry(5, Standing::Held, None, "held by a user");
    held.begins = Some(Moment::unknown("held"));
    QueueView {
        paused: None,
        paused_groups: vec!["night".to_owned()],
        jobs: vec![runs, next, waits, held],
        outages: Vec::new(),
        drains: Some(Moment::unknown("job 5 is held")),
    }
}

fn known(secs: f64) -> Estimate {
    Estimate {
        secs,
        low_secs: secs,
        high_secs: secs,
        basis: Basis::Measured { jobs: 3 },
    }
}

fn submitted(outcome: SubmitOutcome) -> Response {
    let mut job = old(job(7, JobState::Queued));
    job.warnings = vec!["the picture is smaller than the video".to_owned()];
    Response::Submitted(Submission {
        job: Box::new(job),
        outcome,
        settings_differ: Vec::new(),
    })
}

fn changed(jobs: Vec<(Job, ChangeOutcome, Option<&str>)>) -> Vec<Response> {
    let jobs = jobs.into_iter().map(|(job, outcome, remark)| Changed {
        job: Box::new(old(job)),
        outcome,
        remark: remark.map(str::to_owned),
    });
    vec![Response::Changed {
        jobs: jobs.collect(),
        remark: None,
    }]
}

fn cancel() -> Vec<Response> {
    let stops = Some("will stop before its next step");
    changed(vec![
        (job(1, cancelled()), ChangeOutcome::Changed, None),
        (job(2, running()), ChangeOutcome::Stopping, stops),
        (
            job(3, done()),
            ChangeOutcome::Refused,
            Some("is already done"),
        ),
    ])
}

fn status() -> DaemonStatus {
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

fn checks() -> Vec<Check> {
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

fn settings() -> Vec<Setting> {
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

fn scan() -> Scan {
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

fn state() -> StateReport {
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

fn logs() -> Vec<Response> {
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
