//! Commands that wait, and daemons that die meanwhile.

use framepack_ipc::{
    ErrorBody,
    control::{DaemonStatus, Response},
    queue::{ChangeOutcome, Changed},
};
use framepack_jobs::{Code, Job, JobState};

use crate::{
    Ended,
    fake_daemon::listen_in_turn,
    fixtures::{done, job, running},
    framepackctl_in,
};

const AWAY: &str =
    "framepackd closed the connection without an answer; waiting for the daemon to come back\n";
const BACK: &str = "connected to the daemon again\n";

fn jobs(jobs: &[Job]) -> Response {
    Response::Jobs {
        jobs: jobs.to_vec(),
    }
}

/// How framepackctl ends that speaks to these daemons in turn.
fn waited(arguments: &[&str], daemons: Vec<Vec<Response>>) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    listen_in_turn(folder.path(), daemons);
    framepackctl_in(folder.path(), arguments, "")
}

#[test]
fn idle_is_waited_for_again() {
    let daemons = vec![
        vec![jobs(&[])],
        vec![],
        vec![jobs(&[])],
        vec![jobs(&[]), Response::End],
    ];
    // The second daemon died as it was asked, so that nobody was back.
    let expected = format!("{AWAY}{BACK}{AWAY}{BACK}");
    waited(&["wait", "--idle"], daemons).assert(0, "", &expected);
}

#[test]
fn the_timeout_passes_while_the_daemon_is_away() {
    let daemons = vec![vec![jobs(&[job(1, running())])], vec![]];
    let expected = format!(
        "{AWAY}error: --timeout elapsed while framepackd is away: 1 was running [FP1005]\n\
         hint: the jobs keep running; wait again, or cancel them\n"
    );
    waited(&["wait", "1", "--timeout", "0.4s"], daemons).assert(9, "", &expected);
}

/// A daemon that has paused its queue, where job 3 runs.
fn paused() -> Vec<Response> {
    let changed = Changed {
        job: Box::new(job(3, running())),
        outcome: ChangeOutcome::Changed,
        remark: None,
    };
    vec![Response::Changed {
        jobs: vec![changed],
        remark: None,
    }]
}

#[test]
fn draining_goes_on_after_a_restart() {
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
    let told = |state| Response::Job(Box::new(job(3, state)));
    // The daemon that stopped put the job back into the queue.
    for (state, row, count) in [
        (done(), "3\tdone\t", "1 job ended, 5 queued;"),
        (
            JobState::Queued,
            "3\tqueued\t",
            "0 jobs ended, 5 queued, 1 of which resume later;",
        ),
    ] {
        let daemons = vec![
            paused(),
            vec![told(running())],
            vec![],
            vec![told(state)],
            vec![Response::Pong(status.clone())],
        ];
        let ended = waited(&["drain"], daemons);
        assert_eq!(ended.code, 0, "{ended:#?}");
        assert!(ended.stdout.starts_with(row), "{ended:#?}");
        let said = format!("{AWAY}{BACK}drained: {count}");
        assert!(ended.stderr.contains(&said), "{ended:#?}");
    }
}

#[test]
fn draining_says_at_its_timeout_what_ran_before_the_daemon_went_away() {
    let daemons = vec![paused(), vec![]];
    let ended = waited(&["drain", "--timeout", "0.4s"], daemons);
    assert_eq!(ended.code, 9, "{ended:#?}");
    let said = "error: --timeout elapsed while framepackd is away, and running before: 3; no other job starts until";
    assert!(ended.stderr.contains(said), "{ended:#?}");
}

#[test]
fn a_log_that_is_followed_has_each_line_once() {
    let log = |messages: &[&str]| {
        let line = |message| format!(r#"{{"message":"{message}"}}"#);
        Response::Log {
            lines: messages.iter().map(line).collect(),
        }
    };
    let seven = || jobs(&[job(7, running())]);
    let daemons = || {
        vec![
            vec![seven(), log(&["one", "two"])],
            vec![seven(), log(&["one"])],
            vec![
                seven(),
                log(&["one", "two"]),
                log(&["three"]),
                Response::End,
            ],
        ]
    };
    let ended = waited(&["logs", "cat", "--follow", "--json"], daemons());
    let lines = "{\"message\":\"one\"}\n{\"message\":\"two\"}\n{\"message\":\"three\"}\n";
    ended.assert(0, lines, &[AWAY, BACK].concat().repeat(2));
    // Who does not follow it wants it now.
    let ended = waited(&["logs", "cat", "--json"], daemons());
    assert_eq!(ended.code, 3, "{ended:#?}");
}

#[test]
fn what_the_next_daemon_does_not_know_is_not_waited_for() {
    let gone = ErrorBody::new(Code::NO_SUCH_JOB, "no such job: 1");
    let daemons = vec![
        vec![jobs(&[job(1, running())])],
        vec![],
        vec![Response::Error(gone.into())],
    ];
    let ended = waited(&["wait", "1"], daemons);
    assert_eq!(ended.code, 4, "{ended:#?}");
}

#[test]
fn a_daemon_that_dies_before_it_answers_was_never_there() {
    let ended = waited(&["wait", "1"], vec![vec![]]);
    assert_eq!(ended.code, 3, "{ended:#?}");
    let ended = waited(&["wait", "--idle"], vec![vec![]]);
    assert_eq!(ended.code, 3, "{ended:#?}");
}

#[test]
fn a_job_that_had_all_its_sections_when_it_was_cancelled_is_said_to_be_done() {
    let mut whole = job(7, done());
    whole.runs.keep_sections = true;
    let told = || Response::Job(Box::new(whole.clone()));
    let daemon = || vec![jobs(&[whole.clone()])];
    let rest = || vec![told(), Response::End];
    let said = waited(&["wait", "7"], vec![daemon(), rest()]);
    let row = "7\tdone\t\tcat\t2026-11-23T05:16:08.000001Z\t/outputs/cat-7.mp4\n";
    let warning = "warning: job 7 had all its sections; it is done\n";
    said.assert(0, row, warning);
    let json = waited(&["wait", "7", "--json"], vec![daemon(), rest()]).json();
    assert_eq!(
        json["warnings"],
        serde_json::json!(["job 7 had all its sections; it is done"])
    );
}
