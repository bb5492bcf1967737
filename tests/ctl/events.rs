//! `events`, and what else follows jobs.

use framepack_ipc::{
    ErrorBody,
    control::{Request, Response, SelectRequest, Stream, Submission, SubmitOutcome},
    event::{EventType, EventsRequest, Since},
};
use framepack_jobs::{Code, JobId, JobState, Selector};

use crate::{
    fake_daemon::talk,
    fixtures::{done, failed, job, running},
};

const CURSOR: &str = "9f3c2a1b40d1e6f7-17-0";
const QUEUED: &str = r#"{"cursor":"9f3c2a1b40d1e6f7-18-0","at":"2026-11-23T05:16:08.000001Z","type":"job","event":"queued","job":7,"name":"cat","state":"queued"}"#;
const LATER: &str = r#"{"cursor":"9f3c2a1b40d1e6f7-18-1","at":"2026-11-23T05:16:09.000000Z","type":"moon","event":"eclipsed","by":"earth"}"#;

fn events() -> Response {
    Response::Events {
        lines: vec![QUEUED.to_owned(), LATER.to_owned()],
        cursor: "9f3c2a1b40d1e6f7-18-1".to_owned(),
    }
}

fn request(talk: &crate::fake_daemon::Talk) -> EventsRequest {
    match &talk.requests[..] {
        [Request::Stream(Stream::EventLog(request))] => request.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn events_are_printed_as_they_come_also_those_of_a_later_daemon() {
    let talk = talk(
        &["events", "--since", CURSOR],
        vec![events(), Response::End],
    );
    talk.ended.assert(0, &format!("{QUEUED}\n{LATER}\n"), "");
    let expected = EventsRequest {
        since: Some(Since::Cursor(CURSOR.to_owned())),
        ..EventsRequest::default()
    };
    assert_eq!(request(&talk), expected);
}

#[test]
fn json_is_the_same_and_fields_are_an_object_each() {
    let json = talk(&["events", "--json"], vec![events(), Response::End]);
    json.ended.assert(0, &format!("{QUEUED}\n{LATER}\n"), "");
    let fields = talk(
        &["events", "--json=event,job"],
        vec![events(), Response::End],
    );
    let picked = "{\"event\":\"queued\",\"job\":7}\n{\"event\":\"eclipsed\",\"job\":null}\n";
    fields.ended.assert(0, picked, "");
}

#[test]
fn types_and_jobs_are_asked_for_and_jobs_by_number() {
    let jobs = vec![job(3, running()), job(5, done())];
    let answers = vec![Response::Jobs { jobs }, Response::End];
    let arguments = ["events", "--type", "job,farm", "--for", "@last,cat"];
    let talk = talk(&arguments, answers);
    talk.ended.assert(0, "", "");
    let selectors = ["@last", "cat"].map(|text| text.parse().unwrap()).to_vec();
    let show = Request::Show(SelectRequest { jobs: selectors });
    let expected = EventsRequest {
        types: vec![EventType::Job, EventType::Farm],
        jobs: [3, 5].map(|id| Selector::Id(JobId(id))).to_vec(),
        ..EventsRequest::default()
    };
    let events = Request::Stream(Stream::EventLog(expected));
    assert_eq!(talk.requests, [show, events]);
}

#[test]
fn a_cursor_is_printed_and_one_that_is_no_longer_kept_refused() {
    talk(&["events", "--cursor"], vec![events()])
        .ended
        .assert(0, "9f3c2a1b40d1e6f7-18-1\n", "");
    let refusal = ErrorBody::new(Code::EVENTS_GONE, "the events behind cursor X are gone");
    let refused = talk(
        &["events", "-f", "--since", CURSOR],
        vec![Response::Error(refusal.into())],
    );
    assert_eq!(refused.ended.code, 4);
    let hint = format!("hint: {}\n", Code::EVENTS_GONE.hint());
    assert!(
        refused.ended.stderr.ends_with(&hint),
        "{:#?}",
        refused.ended
    );
    let wrong = talk(&["events", "--type", "jobs"], vec![]);
    assert_eq!(wrong.ended.code, 2);
    assert!(wrong.ended.stderr.contains("did you mean `job`?"));
}

#[test]
fn a_daemon_that_was_not_there_at_first_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let ended = crate::framepackctl_in(folder.path(), &["events", "-f"], "");
    assert_eq!(ended.code, 3, "{ended:#?}");
}

#[test]
fn any_ends_with_the_first_job_that_has_finished() {
    let meant = vec![job(1, running()), job(2, running())];
    let answers = vec![
        Response::Jobs { jobs: meant },
        Response::Job(Box::new(job(1, running()))),
        Response::Job(Box::new(job(2, failed()))),
        Response::Job(Box::new(job(1, done()))),
        Response::End,
    ];
    let any = talk(&["wait", "1-2", "--any"], answers.clone()).ended;
    assert_eq!(any.code, 7);
    assert!(any.stdout.starts_with("2\tfailed\t"), "{any:#?}");
    assert_eq!(any.stdout.lines().count(), 1);
    let all = talk(&["wait", "1-2"], answers).ended;
    assert_eq!((all.code, all.stdout.lines().count()), (7, 2));
}

#[test]
fn progress_says_which_jobs_start_and_end_and_how_many_have() {
    let meant = vec![job(1, JobState::Queued), job(2, running())];
    let answers = vec![
        Response::Jobs { jobs: meant },
        Response::Job(Box::new(job(1, JobState::Queued))),
        Response::Job(Box::new(job(2, running()))),
        Response::Job(Box::new(job(2, failed()))),
        Response::Job(Box::new(job(1, running()))),
        Response::Job(Box::new(job(1, done()))),
        Response::End,
    ];
    let ended = talk(&["wait", "cat", "--progress"], answers).ended;
    let told = "job 2: section 2/4 step 18/25\n\
                job 2 (cat): failed: cat.jpg is not an image [FP2004]; 1 of 2 finished\n\
                job 1: section 2/4 step 18/25\n\
                job 1 (cat): started on cpu; 1 of 2 finished\n\
                job 1 (cat): done; 2 of 2 finished\n";
    assert_eq!(ended.stderr, told);
    assert_eq!((ended.code, ended.stdout.lines().count()), (7, 2));
}

#[test]
fn all_means_those_that_have_not_ended_and_idle_no_job() {
    let none = || Response::Jobs { jobs: Vec::new() };
    let all = talk(&["wait", "--all"], vec![none()]);
    all.ended.assert(0, "", "");
    let show = |selectors: &[&str]| {
        let jobs = selectors.iter().map(|text| text.parse().unwrap());
        Request::Show(SelectRequest {
            jobs: jobs.collect(),
        })
    };
    assert_eq!(all.requests, [show(&["@queued", "@running"])]);
    let idle = talk(&["wait", "--idle"], vec![none(), Response::End]);
    idle.ended.assert(0, "", "");
    let asked = [show(&["@running"]), Request::Stream(Stream::Idle)];
    assert_eq!(idle.requests, asked);
    for wrong in [
        &["wait"][..],
        &["wait", "--all", "1"],
        &["wait", "--idle", "--any"],
    ] {
        assert_eq!(talk(wrong, vec![]).ended.code, 2, "{wrong:?}");
    }
}

fn submitted() -> Response {
    Response::Submitted(Submission {
        job: Box::new(job(1, JobState::Queued)),
        outcome: SubmitOutcome::Created,
        settings_differ: Vec::new(),
    })
}

#[test]
fn a_submission_is_followed_no_longer_than_until_its_timeout() {
    let arguments = ["submit", "-", "--follow", "--timeout", "0.3s"];
    let answers = vec![submitted(), Response::Job(Box::new(job(1, running())))];
    let yaml = crate::fixtures::YAML;
    let talk = crate::fake_daemon::talk_with(&arguments, yaml, &[], answers);
    assert_eq!(talk.ended.code, 9);
    let told = "error: --timeout elapsed: job 1 is running [FP1005]";
    assert!(talk.ended.stderr.contains(told), "{}", talk.ended.stderr);
}

#[test]
fn a_submission_that_is_followed_ends_with_the_job() {
    let answers = vec![
        submitted(),
        Response::Job(Box::new(job(1, running()))),
        Response::Job(Box::new(job(1, failed()))),
        Response::End,
    ];
    let yaml = crate::fixtures::YAML;
    let talk = crate::fake_daemon::talk_with(&["submit", "-", "--follow"], yaml, &[], answers);
    let row = "1\tfailed\t\tcat\t2026-11-23T05:16:08.000001Z\tcat.jpg is not an image [FP2004]\n";
    talk.ended.assert(7, row, "job 1: section 2/4 step 18/25\n");
}
