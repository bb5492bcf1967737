//! `queue`, `hold`, `pause`, `priority`, `retry`: what is asked, and what is said of the answer.

use framepack_ipc::{
    control::{Request, Response},
    queue::{
        Boundary, Change, ChangeOutcome, ChangeRequest, Changed, QueueEntry, QueueView, Scope,
        Standing,
    },
};
use framepack_jobs::{JobId, JobState};

use crate::{
    fake_daemon::talk,
    fixtures::{done, job, running},
    framepackctl_in,
    waiting::nothing_waits,
};

fn view() -> QueueView {
    let entry = |id, standing, turn, reason: &str| QueueEntry {
        turn,
        id: JobId(id),
        name: "cat".to_owned(),
        standing,
        priority: 0,
        group: Some("night".to_owned()),
        reason: reason.to_owned(),
        until: None,
        begins: None,
        ends: None,
    };
    QueueView {
        paused: Some("the queue is paused; `framepackctl resume --all` resumes it".to_owned()),
        paused_groups: vec!["night".to_owned()],
        jobs: vec![
            entry(3, Standing::Running, None, "on cpu"),
            entry(5, Standing::Ready, Some(1), "in order of submission"),
            entry(4, Standing::Held, None, "held by a user"),
        ],
        outages: Vec::new(),
        drains: None,
    }
}

#[test]
fn the_queue_in_its_order_with_reasons() {
    talk(&["queue"], vec![Response::Queue(view())])
        .ended
        .assert(
            0,
            "\t3\trunning\t0\tnight\tcat\ton cpu\n\
         1\t5\tready\t0\tnight\tcat\tin order of submission\n\
         \t4\theld\t0\tnight\tcat\theld by a user\n",
            "warning: no job starts: the queue is paused; `framepackctl resume --all` resumes it\n\
         warning: no job of group night starts: it is paused\n",
        );
    let json = talk(&["queue", "--json"], vec![Response::Queue(view())])
        .ended
        .json();
    assert_eq!(json["kind"], "Queue");
    assert_eq!(json["items"][1]["turn"], 1);
    assert_eq!(json["warnings"].as_array().unwrap().len(), 2);
    let picked = talk(
        &["queue", "--json=id,reason"],
        vec![Response::Queue(view())],
    );
    assert_eq!(
        picked.ended.json()[0],
        serde_json::json!({"id": 3, "reason": "on cpu"})
    );
}

#[test]
fn each_verb_asks_for_its_change() {
    let jobs = |text: &str| Scope::Jobs(vec![text.parse().unwrap()]);
    let pause = |at| Change::Pause { at };
    for (arguments, scope, change) in [
        (&["hold", "3-9"][..], jobs("3-9"), Change::Hold),
        (&["release", "cat"], jobs("cat"), Change::Release),
        (&["pause", "7"], jobs("7"), pause(Boundary::Section)),
        (
            &["pause", "--all", "--at", "job"],
            Scope::All,
            pause(Boundary::Job),
        ),
        (
            &["pause", "--group", "night", "--at=step"],
            Scope::Group("night".to_owned()),
            pause(Boundary::Step),
        ),
        (&["resume", "--all"], Scope::All, Change::Resume),
        (
            &["priority", "7", "-5"],
            jobs("7"),
            Change::Priority { priority: -5 },
        ),
        (
            &["retry", "7"],
            jobs("7"),
            Change::Retry { from_start: false },
        ),
        (
            &["retry", "7", "--from-start"],
            jobs("7"),
            Change::Retry { from_start: true },
        ),
    ] {
        let talk = talk(
            arguments,
            vec![Response::Changed {
                jobs: Vec::new(),
                remark: None,
            }],
        );
        assert_eq!(talk.ended.code, 0, "{arguments:?}");
        let expected = Request::Change(ChangeRequest { scope, change });
        assert_eq!(talk.requests, [expected], "{arguments:?}");
    }
}

#[test]
fn what_is_meant_must_be_said() {
    for arguments in [
        &["pause"][..],
        &["resume", "7", "--all"],
        &["pause", "7", "--at", "once"],
        &["priority", "7"],
        &["priority", "7", "1001"],
        &["hold"],
    ] {
        let folder = tempfile::tempdir().unwrap();
        let ended = framepackctl_in(folder.path(), arguments, "");
        assert_eq!(ended.code, 2, "{arguments:?}");
    }
}

#[test]
fn a_refusal_is_a_conflict_and_says_why() {
    let changed = |id, state, outcome, remark: Option<&str>| Changed {
        job: Box::new(job(id, state)),
        outcome,
        remark: remark.map(str::to_owned),
    };
    let halts = Some("will pause at the end of its section");
    let jobs = vec![
        changed(1, JobState::Queued, ChangeOutcome::Changed, None),
        changed(2, running(), ChangeOutcome::Changed, halts),
    ];
    let ended = talk(
        &["pause", "1-2"],
        vec![Response::Changed { jobs, remark: None }],
    )
    .ended;
    assert_eq!(ended.code, 0);
    assert_eq!(
        ended.stderr,
        "warning: job 2 will pause at the end of its section\n"
    );
    let jobs = vec![changed(
        3,
        done(),
        ChangeOutcome::Refused,
        Some("is done already"),
    )];
    let ended = talk(
        &["pause", "3"],
        vec![Response::Changed { jobs, remark: None }],
    )
    .ended;
    assert_eq!(ended.code, 10);
    assert_eq!(ended.stderr, "warning: job 3 is done already\n");
}

#[test]
fn held_paused_and_waiting_jobs_are_told_from_others() {
    let mut held = job(1, JobState::Queued);
    held.runs.held = true;
    held.runs.sections_done = 2;
    let mut again = job(2, JobState::Queued);
    again.runs.retry_at = Some("2026-11-24T06:00:00.000000Z".parse().unwrap());
    let mut halted = job(3, running());
    if let JobState::Running { paused, .. } = &mut halted.state {
        *paused = true;
    }
    let jobs = vec![held, again, halted];
    let answers = vec![Response::Jobs { jobs }, nothing_waits()];
    let stdout = talk(&["list"], answers).ended.stdout;
    let columns: Vec<Vec<&str>> = stdout
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    assert_eq!(columns[0][1..3], ["held", "2 sections done"]);
    assert_eq!(
        columns[1][1..3],
        ["queued", "retry at 2026-11-24T06:00:00.000000Z"]
    );
    assert_eq!(columns[2][1..3], ["paused", "section 2/4 step 18/25"]);
}
