//! `report`: the night as text, as JSON, and as a page.

use std::fs;

use framepack_ipc::{
    ErrorBody,
    control::{ListRequest, Request, Response},
    preview::{Preview, PreviewKind, PreviewRequest},
    queue::{QueueEntry, QueueView, Standing},
};
use framepack_jobs::{Code, Job, JobId, JobState, StateName, Timestamp};

use crate::{
    fake_daemon::{Talk, talk},
    fixtures::{cancelled, done, failed, job},
};

/// All of the fixtures' jobs ended after this.
const SINCE: &str = "--since=2026-11-23T00:00:00Z";

/// What a job brings into a page and must not be able to do there.
const HOSTILE: &str = "A cat\"><script>alert('1')</script>&amp; <img src=x onerror=y>";

fn ended() -> Vec<Job> {
    let mut hostile = job(1, done());
    hostile.name = HOSTILE.into();
    hostile.spec.prompt = HOSTILE.into();
    hostile.runs.energy_joules = Some(7200.0);
    vec![
        hostile,
        job(2, failed()),
        job(3, cancelled()),
        job(5, done()),
    ]
}

fn queue() -> Response {
    let entry = |id, standing, reason: &str| QueueEntry {
        turn: None,
        id: JobId(id),
        name: "dog".to_owned(),
        standing,
        priority: 0,
        group: None,
        reason: reason.to_owned(),
        until: None,
        begins: None,
        ends: None,
    };
    Response::Queue(QueueView {
        paused: None,
        paused_groups: Vec::new(),
        jobs: vec![
            entry(6, Standing::Running, "on cpu"),
            entry(7, Standing::Held, "held"),
        ],
        outages: Vec::new(),
        drains: None,
    })
}

fn strip() -> Response {
    Response::Preview(Preview {
        media_type: "image/jpeg".to_owned(),
        of: "video".to_owned(),
        width_px: 192,
        height_px: 1200,
        frames: 12,
        data: "c3RyaXA=".to_owned(),
    })
}

fn no_strip() -> Response {
    Response::Error(ErrorBody::new(Code::NO_SUCH_JOB, "no preview").into())
}

fn report(arguments: &[&str], previews: Vec<Response>) -> Talk {
    let jobs = Response::Jobs { jobs: ended() };
    let answers = [jobs, queue()].into_iter().chain(previews);
    let command = [&["report", SINCE], arguments].concat();
    talk(&command, answers.collect())
}

#[test]
fn failures_come_first_with_what_to_do() {
    let talk = report(&[], Vec::new());
    let ended = [
        StateName::Done,
        StateName::Failed,
        StateName::Cancelled,
        StateName::Expired,
    ];
    let list = ListRequest {
        states: ended.to_vec(),
        since: Timestamp::from_rfc3339("2026-11-23T00:00:00Z"),
        ..ListRequest::default()
    };
    assert_eq!(talk.requests, [Request::List(list), Request::Queue]);
    let text = talk.ended.stdout;
    let lines: Vec<&str> = text.lines().skip(1).collect();
    let hint = Code::IMAGE_FORMAT.hint();
    assert_eq!(
        lines,
        [
            "2 done, 1 failed, 1 cancelled; 1 running, 1 waiting",
            "9.7 s of video in 21 s of rendering, 2.0 Wh",
            "",
            "Failed",
            "  2 cat: cat.jpg is not an image [FP2004]",
            &format!("      {hint}"),
            "",
            "Done",
            &format!("  1 {HOSTILE}: 4.8 s in 11 s, /outputs/cat-7.mp4"),
            "  5 cat: 4.8 s in 11 s, /outputs/cat-7.mp4",
            "",
            "Cancelled",
            "  3 cat",
            "",
            "Running and waiting",
            "  6 dog: running, on cpu",
            "  7 dog: held, held",
        ]
    );
}

#[test]
fn what_ended_earlier_is_not_reported() {
    let jobs = Response::Jobs { jobs: ended() };
    let since = "--since=2026-11-24T00:00:00Z";
    let text = talk(&["report", since], vec![jobs, queue()]).ended.stdout;
    assert!(text.contains("0 done, 0 failed, 0 cancelled"), "{text}");
}

#[test]
fn json_has_the_jobs_and_the_figures_beside_them() {
    let json = report(&["--json"], Vec::new()).ended.json();
    assert_eq!(json["kind"], "Report");
    let ids: Vec<u64> = json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["id"].as_u64().unwrap())
        .collect();
    assert_eq!(ids, [1, 5, 2, 3]);
    assert_eq!(json["done"], 2);
    assert_eq!(json["energy_joules"], 7200.0);
    assert_eq!(json["rendering_secs"], 21.0);
}

#[test]
fn the_page_needs_nothing_beside_it_and_runs_nothing() {
    let talk = report(&["--html=night.html"], vec![strip(), no_strip()]);
    assert_eq!(
        (talk.ended.code, talk.ended.stderr.as_str()),
        (0, "wrote night.html\n")
    );
    let wanted = talk.requests.iter().skip(2);
    let strips = [1, 5].map(|id| {
        Request::Preview(PreviewRequest {
            job: JobId(id),
            kind: PreviewKind::Strip,
        })
    });
    assert!(wanted.eq(strips.iter()));
    let page = fs::read_to_string(talk.folder.path().join("night.html")).unwrap();
    for missing in [
        "<script",
        "<img",
        "<link",
        "http:",
        "https:",
        "@import",
        "onerror=y>",
    ] {
        assert!(!page.contains(missing), "{missing} is in {page}");
    }
    assert_eq!(page.matches("&lt;script&gt;").count(), 3, "{page}");
    assert!(
        page.contains("url(data:image/jpeg;base64,c3RyaXA=)"),
        "{page}"
    );
    assert!(page.contains("--frames:12;--ratio:192/100"), "{page}");
    assert!(page.contains("no preview"), "{page}");
    assert!(page.contains(Code::IMAGE_FORMAT.hint()), "{page}");
}

#[test]
fn prompts_stay_out_of_the_page_if_they_should() {
    let mut jobs = vec![job(1, done())];
    jobs[0].spec.prompt = "a secret".to_owned();
    let page = |arguments: &[&str]| {
        let jobs = Response::Jobs { jobs: jobs.clone() };
        let command = [&["report", SINCE, "--html=-"], arguments].concat();
        talk(&command, vec![jobs, queue(), no_strip()]).ended.stdout
    };
    assert!(page(&[]).contains("a secret"));
    assert!(!page(&["--no-prompts"]).contains("a secret"));
}

#[test]
fn a_page_that_can_not_be_written_is_an_error() {
    let talk = report(&["--html=missing/night.html"], vec![strip(), no_strip()]);
    assert_eq!(talk.ended.code, 6);
    assert!(
        talk.ended.stderr.contains("missing/night.html"),
        "{}",
        talk.ended.stderr
    );
}

#[test]
fn an_empty_night_says_so() {
    let nothing = QueueView {
        paused: None,
        paused_groups: Vec::new(),
        jobs: Vec::new(),
        outages: Vec::new(),
        drains: None,
    };
    let jobs = Response::Jobs {
        jobs: vec![job(4, JobState::Queued)],
    };
    let page = talk(
        &["report", "--html=-"],
        vec![jobs, Response::Queue(nothing)],
    );
    assert!(page.ended.stdout.contains("No job has ended since then"));
}
