//! `ping`, `gpu enable` and `folder scan`: what the daemon tells of itself, and of what it is asked to do.

use framepack_ipc::{
    ErrorBody,
    control::{
        DaemonStatus, DeviceRequest, EnableOutcome, Enabling, Note, Outage, Request, Response,
        WorkerState, WorkerStatus,
    },
    folder::{Scan, WaitingFile},
    worker::Temperature,
};
use framepack_jobs::{Code, Model};

use crate::fake_daemon::talk;

#[test]
fn ping_tells_what_the_daemon_does() {
    let status = DaemonStatus {
        version: "0.1.0".to_owned(),
        pid: 42,
        uptime_secs: 61.0,
        queued: 2,
        running: 1,
        paused: Some("by hand".to_owned()),
        degraded: vec![Note {
            hint: Some("look".to_owned()),
            ..Note::new(Code::STORE_REPAIRED, "the store was repaired")
        }],
        workers: vec![WorkerStatus {
            device: "cpu".to_owned(),
            device_name: None,
            state: WorkerState::Busy,
            note: Some("a reason".to_owned()),
            temperature: Some(Temperature::Warm),
            outage: None,
        }],
        outages: Vec::new(),
    };
    talk(&["ping"], vec![Response::Pong(status.clone())])
        .ended
        .assert(
            0,
            "framepackd 0.1.0 has been up for 61 s (pid 42): 2 queued, 1 running\n\
             no job starts: by hand\n\
             degraded: the store was repaired [FP4001]\n\
             hint: look\n\
             worker cpu (-): busy, warm: a reason\n",
            "",
        );
    let json = talk(&["ping", "--json"], vec![Response::Pong(status)])
        .ended
        .json();
    assert_eq!(json["kind"], "DaemonStatus");
    assert_eq!(json["items"][0]["workers"][0]["state"], "busy");
}

#[test]
fn what_the_farm_is_at_fault_for_is_told_once_with_its_times() {
    let outage = Outage {
        code: Code::MODEL_POINTER.into(),
        message: "a.safetensors is a git-lfs pointer".to_owned(),
        hint: Some("run `git lfs pull`".to_owned()),
        since: "2026-11-23T05:16:08.000000Z".parse().unwrap(),
        next_try: Some("2026-11-23T05:17:08.000000Z".parse().unwrap()),
        trying: false,
        devices: Vec::new(),
        models: vec![Model::F1],
    };
    let status = DaemonStatus {
        version: "0.1.0".to_owned(),
        pid: 42,
        uptime_secs: 61.0,
        queued: 2,
        running: 0,
        paused: None,
        degraded: vec![Note {
            code: outage.code.clone(),
            message: outage.message.clone(),
            hint: outage.hint.clone(),
        }],
        workers: Vec::new(),
        outages: vec![outage],
    };
    talk(&["ping"], vec![Response::Pong(status.clone())])
        .ended
        .assert(
            0,
            "framepackd 0.1.0 has been up for 61 s (pid 42): 2 queued, 0 running\n\
             degraded: jobs of model f1 wait until the farm is mended: a.safetensors is a git-lfs pointer [FP3014] \
             (since 2026-11-23T05:16:08.000000Z; tried again at 2026-11-23T05:17:08.000000Z, or as soon as its files \
             change); run `git lfs pull`\n",
            "",
        );
    let json = talk(&["ping", "--json"], vec![Response::Pong(status)]);
    let outages = &json.ended.json()["items"][0]["outages"][0];
    assert_eq!(
        (&outages["code"], &outages["fault"]),
        (&"FP3014".into(), &"farm".into())
    );
}

#[test]
fn gpu_enable_says_whether_that_changes_anything() {
    let answer = |outcome| {
        Response::Enabled(Enabling {
            device: "cuda:1".to_owned(),
            outcome,
        })
    };
    let talk = |outcome| talk(&["gpu", "enable", "cuda:1"], vec![answer(outcome)]);
    let enabled = talk(EnableOutcome::Enabled);
    let asked = Request::EnableDevice(DeviceRequest {
        device: "cuda:1".to_owned(),
    });
    assert_eq!(enabled.requests, [asked]);
    enabled.ended.assert(0, "cuda:1 is enabled again\n", "");
    let other = talk(EnableOutcome::NotFaulty);
    other.ended.assert(0, "cuda:1 was not disabled\n", "");
}

#[test]
fn folder_scan_says_what_was_taken_and_what_waits() {
    let scan = Scan {
        jobs: 2,
        rejected: 1,
        left: 3,
        waiting: 5,
        files: vec![WaitingFile {
            file: "a\nb.yaml".to_owned(),
            why: "the file is empty".to_owned(),
        }],
        passed_over: vec![WaitingFile {
            file: "a (conflicted copy).yaml".to_owned(),
            why: "a copy".to_owned(),
        }],
        ..Scan::default()
    };
    let talk = talk(&["folder", "scan"], vec![Response::Scanned(scan)]);
    assert_eq!(talk.requests, [Request::Scan]);
    let expected = "2 new jobs, 0 duplicates, 1 rejected; 5 waiting, 3 left for later\n\
                    a\\nb.yaml: the file is empty\n… and 4 more\n\
                    passed over: a (conflicted copy).yaml: a copy\n";
    talk.ended.assert(0, expected, "");
}

#[test]
fn another_protocol_is_12() {
    let refusal = ErrorBody::new(Code::PROTOCOL_MISMATCH, "framepackd speaks 9");
    let ended = talk(&["ping"], vec![Response::Error(refusal.into())]).ended;
    assert_eq!(ended.code, 12);
    // An answer to another question is a misunderstanding, too.
    assert_eq!(talk(&["ping"], vec![Response::End]).ended.code, 12);
}
