//! `reload`, `warmup`, `unload`, `drain`: what is asked, and what is said of the answer.

use framepack_ipc::{
    control::{DaemonStatus, Request, Response},
    queue::{Boundary, Change, ChangeOutcome, ChangeRequest, Changed, Scope},
    reload::Reloaded,
    warmth::{UnloadRequest, WarmUpRequest, WarmthChange, WarmthOutcome},
    worker::Temperature,
};
use framepack_jobs::{
    Code, Failure,
    settings::{Applies, SettingChange},
};
use serde_json::{Value, json};

use crate::{
    fake_daemon::talk,
    fixtures::{done, job, running},
    framepackctl_in,
};

fn reloaded() -> Response {
    let change = |key: &str, old: Value, new: Value, applies| SettingChange {
        key: key.to_owned(),
        old,
        new,
        applies,
    };
    Response::Reloaded(Reloaded {
        file: "/etc/framepackd/framepackd.yaml".into(),
        changes: vec![
            change(
                "worker.devices",
                "auto".into(),
                json!(["cpu"]),
                Applies::Restart,
            ),
            change("steps", Value::Null, 30.into(), Applies::NewJobs),
            change(
                "idle.warm_after_secs",
                300.into(),
                "never".into(),
                Applies::AtOnce,
            ),
        ],
        notices: vec!["keep.work_days is now called retention.work_days".to_owned()],
    })
}

#[test]
fn what_a_reload_changed_comes_before_what_waits_for_a_restart() {
    let talked = talk(&["reload"], vec![reloaded()]);
    assert_eq!(talked.requests, [Request::Reload]);
    talked.ended.assert(
        0,
        "new jobs\tsteps\t-\t30\n\
         at once\tidle.warm_after_secs\t300\tnever\n\
         restart\tworker.devices\tauto\t[\"cpu\"]\n",
        "warning: keep.work_days is now called retention.work_days\n\
         warning: 1 of the changed settings count only once the daemon is started again\n",
    );
    let json = talk(&["reload", "--json"], vec![reloaded()]).ended.json();
    assert_eq!(json["kind"], "Reload");
    assert_eq!(json["file"], "/etc/framepackd/framepackd.yaml");
    assert_eq!(
        json["items"][0],
        json!({"key": "steps", "old": null, "new": 30, "applies": "new_jobs"})
    );
    assert_eq!(json["warnings"].as_array().unwrap().len(), 2);
}

#[test]
fn a_reload_without_a_change_says_so() {
    let nothing = Response::Reloaded(Reloaded {
        file: "/f.yaml".into(),
        changes: Vec::new(),
        notices: Vec::new(),
    });
    talk(&["reload"], vec![nothing])
        .ended
        .assert(0, "", "no setting of /f.yaml has changed\n");
}

fn device(device: &str, outcome: WarmthOutcome) -> WarmthChange {
    WarmthChange {
        device: device.to_owned(),
        outcome,
        temperature: None,
        free_bytes: None,
        freed_bytes: None,
        freed_host_bytes: None,
        secs: 12.34,
        remark: None,
        failure: None,
    }
}

fn devices() -> Vec<WarmthChange> {
    vec![
        WarmthChange {
            temperature: Some(Temperature::Cold),
            free_bytes: Some(23 << 30),
            freed_bytes: Some(16 << 30),
            freed_host_bytes: Some(20 << 30),
            ..device("cuda:0", WarmthOutcome::Freed)
        },
        WarmthChange {
            remark: Some("renders job 12".to_owned()),
            ..device("cuda:1", WarmthOutcome::Busy)
        },
        WarmthChange {
            remark: Some("its worker is down: it crashed".to_owned()),
            ..device("cuda:2", WarmthOutcome::Absent)
        },
    ]
}

#[test]
fn what_each_device_gave_up() {
    let talked = talk(
        &["unload", "warm", "--until-free-gb", "7.5"],
        vec![Response::Warmth { devices: devices() }],
    );
    let expected = Request::Unload(UnloadRequest {
        device: None,
        to: Temperature::Warm,
        until_free_bytes: Some((15 << 30) / 2),
    });
    assert_eq!(talked.requests, [expected]);
    talked.ended.assert(
        0,
        "cuda:0: cold, 16.00 GiB of its memory and 20.00 GiB of the host's were freed; 23.00 GiB are free\n\
         cuda:1: left alone: it renders job 12\n\
         cuda:2: left alone: its worker is down: it crashed\n",
        "",
    );
    let json = talk(
        &["unload", "--json"],
        vec![Response::Warmth { devices: devices() }],
    );
    let json = json.ended.json();
    assert_eq!(json["kind"], "DeviceMemory");
    let keys = json["items"][0].as_object().unwrap().keys();
    assert!(
        keys.into_iter()
            .all(|key| WarmthChange::FIELDS.contains(&key.as_str()))
    );
    assert_eq!(json["items"][0]["outcome"], "freed");
}

#[test]
fn exit_codes_tell_the_gravest_of_what_happened() {
    let failed = |code| WarmthChange {
        failure: Some(Failure::new(code, "too large")),
        ..device("cuda:1", WarmthOutcome::Failed)
    };
    let short = || device("cuda:0", WarmthOutcome::Short);
    let named = ["warmup", "--device", "cuda:1"];
    for (arguments, devices, code) in [
        (
            &["warmup"][..],
            vec![device("cuda:0", WarmthOutcome::Busy)],
            0,
        ),
        (&named, vec![device("cuda:1", WarmthOutcome::Busy)], 10),
        (&["unload"], vec![short()], 11),
        (
            &["warmup"],
            vec![short(), device("cuda:1", WarmthOutcome::Failed)],
            1,
        ),
        (&["warmup"], vec![failed(Code::NO_SUCH_DEVICE)], 4),
    ] {
        let talked = talk(arguments, vec![Response::Warmth { devices }]);
        assert_eq!(talked.ended.code, code, "{arguments:?}");
    }
}

#[test]
fn models_are_loaded_for_the_jobs_that_are_described() {
    let arguments = [
        "warmup", "extreme", "--set", "model=f1", "--device", "cuda:1",
    ];
    let loaded = WarmthChange {
        free_bytes: Some(3 << 30),
        ..device("cuda:1", WarmthOutcome::Loaded)
    };
    let talked = talk(
        &arguments,
        vec![Response::Warmth {
            devices: vec![loaded],
        }],
    );
    let expected = Request::WarmUp(WarmUpRequest {
        device: Some("cuda:1".to_owned()),
        profile: Some("extreme".to_owned()),
        set: vec!["model=f1".to_owned()],
    });
    assert_eq!(talked.requests, [expected]);
    talked.ended.assert(
        0,
        "cuda:1: models loaded in 12.3 s; 3.00 GiB are free\n",
        "",
    );
}

#[test]
fn draining_pauses_the_queue_and_waits_for_what_runs() {
    let changed = Changed {
        job: Box::new(job(3, running())),
        outcome: ChangeOutcome::Changed,
        remark: Some("will run to completion".to_owned()),
    };
    let status = DaemonStatus {
        version: "0.0.0-fake".to_owned(),
        pid: 1,
        uptime_secs: 1.0,
        queued: 5,
        running: 0,
        workers: Vec::new(),
        paused: None,
        degraded: Vec::new(),
        outages: Vec::new(),
    };
    let talked = talk(
        &["drain"],
        vec![
            Response::Changed {
                jobs: vec![changed],
                remark: None,
            },
            Response::Job(Box::new(job(3, running()))),
            Response::Job(Box::new(job(3, done()))),
            Response::End,
            Response::Pong(status),
        ],
    );
    let pause = Request::Change(ChangeRequest {
        scope: Scope::All,
        change: Change::Pause { at: Boundary::Job },
    });
    assert_eq!(talked.requests[0], pause);
    assert_eq!(talked.ended.code, 0);
    assert!(
        talked.ended.stdout.starts_with("3\tdone\t"),
        "{}",
        talked.ended.stdout
    );
    let stderr = &talked.ended.stderr;
    assert!(
        stderr.starts_with("no more jobs start; waiting for 1 job\n"),
        "{stderr}"
    );
    let end = "drained: 1 job ended, 5 queued; `framepackctl resume --all` has jobs start again\n";
    assert!(stderr.ends_with(end), "{stderr}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    for arguments in [
        &["unload", "hot"][..],
        &["unload", "--until-free-gb", "12GB"],
        &["drain", "--at", "step"],
        &["warmup", "a", "b"],
        &["reload", "now"],
    ] {
        let folder = tempfile::tempdir().unwrap();
        let ended = framepackctl_in(folder.path(), arguments, "");
        assert_eq!(ended.code, 2, "{arguments:?}");
    }
}
