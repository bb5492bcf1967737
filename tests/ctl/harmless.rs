//! Texts that a terminal would obey, or that would be read in another order than they are written, wherever they are told
//! to people. In JSON they are what they are.

use framepack_ipc::{
    ErrorBody,
    control::{Outage, Response, Submission, SubmitOutcome},
    upkeep::{Collected, GcMode},
};
use framepack_jobs::{Code, Failure, Job, JobState, Timestamp};

use crate::{
    fake_daemon::{FakeDaemon, talk, talk_with},
    fixtures::{YAML, job},
    framepackctl_in,
    looks::farm::status,
    terminal::{Size, Terminal, at_home},
    waiting::nothing_waits,
};

/// Clears a screen in two ways, and turns about what follows.
const EVIL: &str = "x\u{1b}[2J\u{9b}2J\u{202e}y\u{2066}\u{200f}";
const SHOWN: &str = r"x\u{1b}[2J\u{9b}2J\u{202e}y\u{2066}\u{200f}";

fn time() -> Timestamp {
    "2026-11-23T05:16:19.500000Z".parse().unwrap()
}

/// A job that has it in all its texts.
fn evil_job() -> Job {
    let mut failure = Failure::new(Code::IMAGE_FORMAT, EVIL);
    failure.hint = Some(EVIL.to_owned());
    let mut evil = job(
        1,
        JobState::Failed {
            finished_at: time(),
            failure,
        },
    );
    evil.name = EVIL.into();
    evil.spec.prompt = EVIL.into();
    evil.image = EVIL.into();
    evil.output = EVIL.into();
    evil.warnings = vec![EVIL.to_owned()];
    evil.schedule.group = Some(EVIL.to_owned());
    evil
}

fn jobs() -> Response {
    Response::Jobs {
        jobs: vec![evil_job()],
    }
}

fn refusal() -> Response {
    let error = ErrorBody::new(Code::NO_SUCH_JOB, EVIL).hint(EVIL);
    Response::Error(error.into())
}

fn submitted() -> Response {
    Response::Submitted(Submission {
        job: Box::new(evil_job()),
        outcome: SubmitOutcome::Created,
        settings_differ: vec![EVIL.to_owned()],
    })
}

fn ping() -> Response {
    let mut status = status();
    status.paused = Some(EVIL.to_owned());
    for worker in &mut status.workers {
        worker.device_name = Some(EVIL.to_owned());
        worker.note = Some(EVIL.to_owned());
    }
    status.outages = vec![Outage {
        message: EVIL.to_owned(),
        hint: Some(EVIL.to_owned()),
        ..status.outages[0].clone()
    }];
    Response::Pong(status)
}

fn log() -> Vec<Response> {
    let event = serde_json::json!({ "at": "T", "level": "info", "message": EVIL, "job": 1 });
    let lines = vec![event.to_string(), EVIL.to_owned()];
    vec![jobs(), Response::Log { lines }, Response::End]
}

fn removed() -> Response {
    Response::Collected(Collected {
        mode: GcMode::Remove,
        items: Vec::new(),
        remarks: vec![EVIL.to_owned()],
    })
}

/// Commands whose answers have it.
fn cases() -> Vec<(&'static [&'static str], Vec<Response>)> {
    vec![
        (&["list"], vec![jobs(), nothing_waits()]),
        (&["show", "1"], vec![jobs(), nothing_waits()]),
        (&["show", "2"], vec![refusal()]),
        (&["submit", "cat.yaml"], vec![submitted()]),
        (&["ping"], vec![ping()]),
        (&["logs", "1"], log()),
        (&["gc"], vec![removed()]),
        (&["wait", "1", "--progress"], {
            let done = Response::Job(Box::new(evil_job()));
            let mut before = evil_job();
            before.state = JobState::Queued;
            let before = Response::Jobs { jobs: vec![before] };
            vec![before, done, Response::End]
        }),
    ]
}

#[track_caller]
fn assert_harmless(arguments: &[&str], told: &str) {
    let is_kept = |c: char| !c.is_control() || matches!(c, '\n' | '\t' | '\r');
    let is_bidi = |c: char| matches!(c, '\u{200f}' | '\u{202e}' | '\u{2066}');
    assert!(
        told.chars().all(|c| is_kept(c) && !is_bidi(c)),
        "{arguments:?}: {told:?}"
    );
}

#[test]
fn pipes_get_them_by_their_numbers() {
    for (arguments, answers) in cases() {
        let ended = talk_with(arguments, "", &[("cat.yaml", YAML)], answers).ended;
        let told = ended.stdout + &ended.stderr;
        assert_harmless(arguments, &told);
        assert!(told.contains(SHOWN), "{arguments:?}: {told}");
    }
}

#[test]
fn terminals_get_them_by_their_numbers() {
    for (arguments, answers) in cases() {
        let daemon = FakeDaemon::start(answers);
        std::fs::write(daemon.folder.path().join("cat.yaml"), YAML).unwrap();
        let mut command = at_home(daemon.folder.path(), arguments);
        let size = Size {
            columns: 132,
            lines: 24,
        };
        let told = Terminal::start(size, command.env("NO_COLOR", "1"))
            .ended()
            .written;
        if !arguments.contains(&"--progress") {
            assert_harmless(arguments, &told);
        }
        assert!(told.contains(r"x\u{1b}"), "{arguments:?}: {told}");
    }
}

#[test]
fn what_was_pasted_is_told_by_its_numbers() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&[EVIL][..], &["plan", EVIL], &["list", "--filter", EVIL]] {
        let ended = framepackctl_in(folder.path(), arguments, "");
        assert_ne!(ended.code, 0);
        assert_harmless(arguments, &ended.stderr);
        // The command line's own errors come without what colours would be.
        let seen = &SHOWN[SHOWN.find(r"\u{202e}").unwrap()..];
        assert!(ended.stderr.contains(seen), "{}", ended.stderr);
    }
}

#[test]
fn json_has_them_as_they_are() {
    let ended = talk(&["show", "1", "--json"], vec![jobs()]).ended;
    assert_eq!(ended.json()["items"][0]["name"], EVIL);
    let ended = talk(&["show", "2", "--json"], vec![refusal()]).ended;
    assert_eq!(ended.json()["error"]["message"], EVIL);
    let ended = talk(&["logs", "1", "--json"], log()).ended;
    let line = ended.stdout.lines().next().unwrap();
    let event: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(event["message"], EVIL);
}
