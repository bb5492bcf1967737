//! `list`: which jobs, and in which order.

use framepack_ipc::control::{Request, Response};
use framepack_jobs::{JobState, StateName};

use crate::{
    fake_daemon::{Talk, talk},
    fixtures::{done, failed, job, running},
    waiting::nothing_waits,
};

/// Jobs that differ in what can be sorted by and filtered by, from a daemon that leaves none out.
fn all() -> Vec<Response> {
    let mut jobs = vec![
        job(1, done()),
        job(2, failed()),
        job(3, running()),
        job(4, JobState::Queued),
        job(5, JobState::Queued),
        job(6, running()),
        job(7, JobState::Queued),
    ];
    jobs[3].runs.held = true;
    jobs[4].runs.suspended_until = Some(jobs[4].submitted_at);
    if let JobState::Running { paused, .. } = &mut jobs[5].state {
        *paused = true;
    }
    for (job, name) in jobs.iter_mut().zip(["d", "b", "c", "a", "a", "f", "e"]) {
        job.name = name.into();
    }
    jobs[1].schedule.group = Some("night".to_owned());
    jobs[6].schedule.group = Some("night".to_owned());
    jobs[6].schedule.priority = 5;
    if let JobState::Failed { finished_at, .. } = &mut jobs[1].state {
        *finished_at = finished_at.plus(std::time::Duration::from_mins(1));
    }
    vec![Response::Jobs { jobs }, nothing_waits()]
}

fn listed(arguments: &[&str]) -> (Talk, Vec<u64>) {
    let arguments = [&["list", "--json=id"], arguments].concat();
    let talk = talk(&arguments, all());
    let items = talk.ended.json();
    let ids = items.as_array().unwrap().iter();
    let ids = ids.map(|item| item["id"].as_u64().unwrap()).collect();
    (talk, ids)
}

#[test]
fn states_are_those_that_people_see() {
    for (filter, expected) in [
        ("queued", &[4, 5, 7][..]),
        ("held", &[4]),
        ("suspended", &[5]),
        ("running", &[3, 6]),
        ("paused", &[6]),
        ("held,done", &[1, 4]),
        ("failed", &[2]),
    ] {
        for flag in ["--filter", "--state"] {
            assert_eq!(listed(&[flag, filter]).1, expected, "{flag} {filter}");
        }
    }
    let (talk, _) = listed(&["--filter", "held,suspended,paused"]);
    let [Request::List(request)] = talk.requests.as_slice() else {
        panic!("{:?}", talk.requests);
    };
    assert_eq!(request.states, [StateName::Queued, StateName::Running]);
}

#[test]
fn groups_and_times_are_asked_of_the_daemon_and_looked_at_again() {
    let (talk, ids) = listed(&["--group", "night"]);
    assert_eq!(ids, [2, 7]);
    let [Request::List(request)] = talk.requests.as_slice() else {
        panic!("{:?}", talk.requests);
    };
    assert_eq!(request.group.as_deref(), Some("night"));
    assert_eq!(request.since, None);
    // All of them are of a certain day, of which this is no longer true some day.
    let long = format!("{}d", 365 * 100);
    assert_eq!(listed(&["--since", &long]).1.len(), 7);
    assert_eq!(listed(&["--since", "1s"]).1, [] as [u64; 0]);
}

#[test]
fn jobs_are_sorted_and_the_first_are_listed() {
    for (sort, expected) in [
        ("id", [1, 2, 3, 4, 5, 6, 7]),
        ("-id", [7, 6, 5, 4, 3, 2, 1]),
        ("name", [4, 5, 2, 3, 1, 7, 6]),
        ("state", [4, 5, 7, 3, 6, 1, 2]),
        ("finished", [1, 2, 3, 4, 5, 6, 7]),
        ("-finished", [2, 1, 3, 4, 5, 6, 7]),
        ("-priority", [7, 1, 2, 3, 4, 5, 6]),
    ] {
        assert_eq!(listed(&["--sort", sort]).1, expected, "{sort}");
    }
    let first = listed(&["--sort=-finished", "--limit", "2"]);
    assert_eq!(first.1, [2, 1]);
}

#[test]
fn mistakes_say_what_there_is() {
    for (arguments, expected) in [
        (
            ["--filter", "gone"],
            "expected one of queued, held, suspended",
        ),
        (["--sort", "size"], "expected one of id, name, state"),
        (["--since", "yesterday"], "expected a time, such as 8h"),
    ] {
        let arguments = [&["list"], &arguments[..]].concat();
        let ended = talk(&arguments, Vec::new()).ended;
        assert_eq!(ended.code, 2);
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    }
}
