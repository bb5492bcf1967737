//! `list`, `wait` and `cancel`.

use framepack_ipc::{
    ErrorBody,
    control::{ListRequest, Request, Response},
    estimate::{Basis, Estimate, Moment},
    queue::{Change, ChangeOutcome, ChangeRequest, Changed, QueueEntry, Scope, Standing},
};
use framepack_jobs::{Code, Job, JobId, JobState, StateName};

use crate::{
    fake_daemon::talk,
    fixtures::{cancelled, done, failed, job, running},
    waiting::{nothing_waits, queue},
};

pub(crate) fn all_jobs() -> Response {
    Response::Jobs {
        jobs: vec![
            job(1, done()),
            job(2, failed()),
            job(3, running()),
            job(4, JobState::Queued),
        ],
    }
}

#[test]
fn a_list_has_tabs_and_no_header_off_the_terminal() {
    talk(&["list"], vec![all_jobs(), nothing_waits()])
        .ended
        .assert(
            0,
            "1\tdone\t\tcat\t2026-11-23T05:16:08.000001Z\t/outputs/cat-7.mp4\n\
         2\tfailed\t\tcat\t2026-11-23T05:16:08.000001Z\tcat.jpg is not an image [FP2004]\n\
         3\trunning\tsection 2/4 step 18/25\tcat\t2026-11-23T05:16:08.000001Z\t\n\
         4\tqueued\t\tcat\t2026-11-23T05:16:08.000001Z\t\n",
            "",
        );
}

#[test]
fn json_is_an_envelope_and_fields_are_a_list() {
    let answers = vec![all_jobs(), nothing_waits()];
    let json = talk(&["list", "--json"], answers).ended.json();
    assert_eq!(json["api"], "framepack/v1");
    assert_eq!(json["kind"], "JobList");
    assert_eq!(json["warnings"], serde_json::json!([]));
    assert_eq!(json["items"][3]["state"], "queued");
    let picked = talk(&["list", "--json=id,result.video"], vec![all_jobs()]);
    assert_eq!(
        picked.ended.json(),
        serde_json::json!([
            {"id": 1, "result": {"video": "/outputs/cat-7.mp4"}},
            {"id": 2, "result": {"video": null}},
            {"id": 3, "result": {"video": null}},
            {"id": 4, "result": {"video": null}},
        ])
    );
}

#[test]
fn states_are_asked_for_together() {
    let answers = vec![all_jobs(), nothing_waits()];
    let talk = talk(&["list", "--state", "failed,queued"], answers);
    let states = vec![StateName::Failed, StateName::Queued];
    let list = Request::List(ListRequest {
        states,
        ..ListRequest::default()
    });
    assert_eq!(talk.requests, [list, Request::Queue]);
}

#[test]
fn a_running_job_has_when_it_will_end_as_the_queue_tells_it() {
    let ends = Moment::after(
        "2026-11-23T05:16:08.000000Z".parse().unwrap(),
        Estimate {
            secs: 60.0,
            low_secs: 50.0,
            high_secs: 70.0,
            basis: Basis::Progress,
        },
    );
    let entry = |id| QueueEntry {
        turn: None,
        id: JobId(id),
        name: "cat".to_owned(),
        standing: Standing::Running,
        priority: 0,
        group: None,
        reason: "on cpu".to_owned(),
        until: None,
        begins: None,
        ends: Some(ends.clone()),
    };
    // Of those that wait, only the queue tells it.
    let answers = || vec![all_jobs(), queue(vec![entry(3), entry(4)], Vec::new())];
    for arguments in [&["list", "--json"][..], &["show", "3", "4", "--json"]] {
        let items = talk(arguments, answers()).ended.json()["items"].clone();
        let with: Vec<_> = (items.as_array().unwrap().iter())
            .filter(|item| item.get("ends").is_some())
            .collect();
        assert_eq!(with.len(), 1, "{arguments:?}");
        assert_eq!(with[0]["id"], 3);
        assert_eq!(with[0]["ends"]["at"], "2026-11-23T05:17:08.000000Z");
        assert_eq!(with[0]["ends"]["basis"], "progress");
    }
    let picked = talk(&["list", "--json=id,ends.secs"], answers());
    assert_eq!(picked.ended.json()[2]["ends"]["secs"], 60.0);
    // Who does not want to know costs no request.
    let talked = talk(&["list", "--json=id"], vec![all_jobs()]);
    assert_eq!(talked.requests.len(), 1);
}

#[test]
fn an_unknown_job_is_4() {
    let error = ErrorBody::new(Code::NO_SUCH_JOB, "no such job: 99");
    for command in ["show", "wait", "cancel"] {
        let answer = Response::Error(error.clone().into());
        talk(&[command, "99"], vec![answer]).ended.assert(
            4,
            "",
            "error: no such job: 99 [FP1003]\nhint: see `framepackctl list`\n",
        );
    }
}

#[test]
fn wait_ends_as_the_worst_job_does() {
    for (states, code) in [
        (vec![done()], 0),
        (vec![done(), failed()], 7),
        (vec![done(), cancelled()], 8),
        (vec![failed(), cancelled()], 7),
    ] {
        let jobs = (1..).zip(states).map(|(id, state)| job(id, state));
        let jobs: Vec<Job> = jobs.collect();
        let told = jobs.iter().map(|job| Response::Job(Box::new(job.clone())));
        let told: Vec<Response> = told.collect();
        let answers = [vec![Response::Jobs { jobs }], told, vec![Response::End]].concat();
        assert_eq!(talk(&["wait", "1", "2"], answers).ended.code, code);
    }
}

#[test]
fn wait_gives_up_at_its_timeout() {
    let answers = vec![
        Response::Jobs {
            jobs: vec![job(1, running()), job(2, done())],
        },
        Response::Job(Box::new(job(1, running()))),
        Response::Job(Box::new(job(2, done()))),
    ];
    talk(&["wait", "cat", "--timeout", "0.3s"], answers)
        .ended
        .assert(
            9,
            "",
            "job 1: section 2/4 step 18/25\n\
             error: --timeout elapsed: 1 is running [FP1005]\n\
             hint: the jobs keep running; wait again, or cancel them\n",
        );
}

#[test]
fn cancelling_what_is_finished_is_a_conflict() {
    let changed = |id, state, outcome, remark: Option<&str>| Changed {
        job: Box::new(job(id, state)),
        outcome,
        remark: remark.map(str::to_owned),
    };
    let stopping = Some("will stop before its next step");
    let jobs = vec![
        changed(1, cancelled(), ChangeOutcome::Changed, None),
        changed(2, running(), ChangeOutcome::Stopping, stopping),
    ];
    let talked = talk(
        &["cancel", "1-2"],
        vec![Response::Changed { jobs, remark: None }],
    );
    let cancel = Request::Change(ChangeRequest {
        scope: Scope::Jobs(vec!["1-2".parse().unwrap()]),
        change: Change::Cancel,
    });
    assert_eq!(talked.requests, [cancel]);
    assert_eq!(talked.ended.code, 0);
    assert_eq!(
        talked.ended.stderr,
        "warning: job 2 will stop before its next step\n"
    );
    let finished = Some("is already done");
    let jobs = vec![changed(3, done(), ChangeOutcome::Refused, finished)];
    let ended = talk(
        &["cancel", "3"],
        vec![Response::Changed { jobs, remark: None }],
    )
    .ended;
    assert_eq!(ended.code, 10);
    assert_eq!(ended.stderr, "warning: job 3 is already done\n");
}
