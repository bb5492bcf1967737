//! `rm`, and what is asked before much is destroyed.

use framepack_ipc::{
    ErrorBody,
    control::{Request, Response, SelectRequest},
    edit::{Edited, RemoveRequest, Videos},
    queue::{Change, ChangeOutcome, ChangeRequest, Changed, Scope},
};
use framepack_jobs::{Code, JobState, Selector};

use crate::{
    fake_daemon::talk,
    fixtures::{cancelled, done, job},
};

fn selectors(texts: &[&str]) -> Vec<Selector> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn removed(id: u64, state: JobState) -> Edited {
    Edited {
        changed: Changed {
            job: Box::new(job(id, state)),
            outcome: ChangeOutcome::Changed,
            remark: None,
        },
        errors: Vec::new(),
    }
}

fn missing() -> Response {
    Response::Error(ErrorBody::new(Code::NO_SUCH_JOB, "no such job: 9").into())
}

#[test]
fn a_line_a_job_and_the_worst_code() {
    let jobs = vec![removed(1, done()), removed(2, cancelled())];
    let talk = talk(&["rm", "1-2"], vec![Response::Edited { jobs }]);
    let expected = "1\tremoved\tcat\t/outputs/cat-7.mp4\n2\tremoved\tcat\t\n";
    talk.ended.assert(0, expected, "");
    let request = RemoveRequest {
        jobs: selectors(&["1-2"]),
        videos: Videos::Keep,
    };
    assert_eq!(talk.requests, [Request::Remove(request)]);

    let refused = Edited {
        changed: Changed {
            outcome: ChangeOutcome::Refused,
            remark: Some("is queued: cancel it first".to_owned()),
            ..removed(3, JobState::Queued).changed
        },
        errors: vec![ErrorBody::new(Code::NOT_CHANGEABLE, "job 3 is queued")],
    };
    let jobs = vec![removed(1, done()), refused];
    let answer = Response::Edited { jobs };
    let json = crate::fake_daemon::talk(&["rm", "1", "3", "--json"], vec![answer.clone()]).ended;
    let json = json.json();
    assert_eq!(json["removed"], serde_json::json!([1]));
    assert_eq!(json["refused"], serde_json::json!([3]));
    assert_eq!(json["items"].as_array().unwrap().len(), 2);
    let ended = crate::fake_daemon::talk(&["rm", "1", "3"], vec![answer]).ended;
    ended.assert(
        10,
        "1\tremoved\tcat\t/outputs/cat-7.mp4\n3\tqueued\tcat\t\n",
        "warning: job 3 is queued: cancel it first\n",
    );
}

#[test]
fn what_is_not_there_does_not_keep_the_others() {
    let one = |id| Response::Jobs {
        jobs: vec![job(id, cancelled())],
    };
    let changed = Response::Changed {
        jobs: vec![Changed {
            job: Box::new(job(1, cancelled())),
            outcome: ChangeOutcome::Changed,
            remark: None,
        }],
        remark: None,
    };
    let answers = vec![missing(), missing(), one(1), missing(), changed];
    let talk = talk(&["cancel", "1", "9"], answers);
    assert_eq!(talk.ended.code, 4, "{:#?}", talk.ended);
    assert_eq!(talk.ended.stderr, "warning: no such job: 9\n");
    assert_eq!(talk.ended.stdout.lines().count(), 1);
    let cancel = |jobs: &[&str]| {
        Request::Change(ChangeRequest {
            scope: Scope::Jobs(selectors(jobs)),
            change: Change::Cancel,
        })
    };
    assert_eq!(talk.requests.first(), Some(&cancel(&["1", "9"])));
    assert_eq!(talk.requests.last(), Some(&cancel(&["1"])));
}

#[test]
fn many_jobs_are_counted_before_they_are_destroyed() {
    let jobs = |count| Response::Jobs {
        jobs: (1..=count).map(|id| job(id, JobState::Queued)).collect(),
    };
    let talked = talk(&["cancel", "@queued"], vec![jobs(21)]);
    talked.ended.assert(
        2,
        "",
        "error: not confirmed: cancel 21 jobs [FP1044]\nhint: add `--yes` where nobody can be asked\n",
    );
    let show = SelectRequest {
        jobs: selectors(&["@queued"]),
    };
    assert_eq!(talked.requests, [Request::Show(show)]);
    // Exactly those that were counted are cancelled.
    let changed = || Response::Changed {
        jobs: Vec::new(),
        remark: None,
    };
    let talked = talk(&["cancel", "@queued"], vec![jobs(2), changed()]);
    let scope = Scope::Jobs(selectors(&["1", "2"]));
    let change = Change::Cancel;
    let expected = Request::Change(ChangeRequest { scope, change });
    assert_eq!(talked.requests.last(), Some(&expected));
    // Whoever has agreed, or names few, is not asked.
    for arguments in [&["cancel", "@queued", "--yes"][..], &["cancel", "1-20"]] {
        assert_eq!(talk(arguments, vec![changed()]).requests.len(), 1);
    }
    // A retry destroys nothing, unless it starts over.
    assert_eq!(
        talk(&["retry", "@failed"], vec![changed()]).requests.len(),
        1
    );
    let over = talk(&["retry", "@failed", "--from-start"], vec![jobs(21)]);
    assert_eq!(over.ended.code, 2);
}
